"""Insight about a firm in sentences: ``model.py`` is the entry point, ``text.py`` holds the sentences."""

from include.models.insight.model import compute

__all__ = ["compute"]

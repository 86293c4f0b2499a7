"""What a firm is told in sentences: ``model.py`` is the entry, ``text.py`` the sentences as data."""

from include.models.insight.model import compute

__all__ = ["compute"]

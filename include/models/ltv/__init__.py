"""Lifetime value: train and select a model per firm, and predict. ``model.py`` is the entry point."""

from include.models.ltv.model import fit, predict, prepare, status

__all__ = ["fit", "predict", "prepare", "status"]

"""Lifetime value: a champion per firm. ``model.py`` is the entry, the rest are its parts."""

from include.models.ltv.model import fit, predict, prepare, status

__all__ = ["fit", "predict", "prepare", "status"]

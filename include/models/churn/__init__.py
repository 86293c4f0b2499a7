"""Churn: no purchase in the firm's ``churn_threshold_days``. ``model.py`` is the entry point."""

from include.models.churn.model import fit, predict, prepare, status

__all__ = ["fit", "predict", "prepare", "status"]

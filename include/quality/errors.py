"""Errors of the quality gate: bad data, and a check that could not be evaluated."""


class QualityError(RuntimeError):
    """A dataset breaks a critical rule. The result is final: a retry reads the same data."""


class EvaluationError(RuntimeError):
    """A rule could not be evaluated: a defect of a rule or of the gate, not of the firm's data."""

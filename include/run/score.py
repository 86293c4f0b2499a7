"""The scoring step: predictions whose windows have passed, against what happened."""

from __future__ import annotations

from include.run.context import Context


def score(context: Context) -> tuple[int, str]:
    """Bring the module's scorecard up to date; the rows of the snapshots that were due."""
    if context.step.module is None:
        raise TypeError(f"{context.step.name} scores no module; see include/steps.py")
    rows = context.loader.score(context.step.module, firm_key=context.firm.firm_key, step=context.step.name)
    return rows, "" if rows else "no window has passed since it was last scored"

"""The scoring step: compare predictions whose horizon has passed with the outcome.

The comparison is ``include/sql/score/<module>.sql``.
"""

from __future__ import annotations

from include.run.context import Context


def score(context: Context) -> tuple[int, str]:
    """Update the module's scorecard; return the rows written for the snapshots that were due."""
    if context.step.module is None:
        raise TypeError(f"{context.step.name} scores no module; see include/steps.py")
    rows = context.loader.score(context.step.module, firm_key=context.firm.firm_key, step=context.step.name)
    return rows, "" if rows else "no window has passed since it was last scored"

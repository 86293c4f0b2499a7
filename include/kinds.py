"""Kinds of steps, one row each: the function that runs them, how often they are retried, what to check first.

Everything that depends on a kind reads it here: the runner, the DAG, the runbook and ``try``.
"""

from __future__ import annotations

from dataclasses import dataclass

EXTRACT, COMPUTE, LOAD = "extract", "compute", "load"  # the tasks of a compact DAG, in order


@dataclass(frozen=True)
class Kind:
    """One kind of step.

    ``runs`` is the dotted name of its function, imported when a step runs. ``is_computing`` is true for
    steps that need no warehouse, so that ``try`` can run them. ``may_skip`` is true for steps
    whose inputs are datasets: an automatic retry skips those that an earlier attempt has done
    (``run/attempts.py``). An extract reads a source, which may have changed, so it is never skipped.
    ``compact_task`` is the task that runs the step where a firm's DAG is compact (``pipeline.compact``).
    """

    name: str
    runs: str
    first_check: str
    retries: int = 2
    retry_delay_seconds: int = 20
    timeout_minutes: int = 60
    is_computing: bool = False
    may_skip: bool = False
    compact_task: str = COMPUTE


_INPUTS = "Are the inputs there? The log names a missing handoff and the step that writes it."

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "extract",
            "include.run.extract:extract",
            "Can the source be reached and read? `python -m include doctor` tries the connection; the log "
            "names the table, column or file that was asked for.",
            retries=4,
            retry_delay_seconds=120,  # the source is another team's system: give it time to come back
            timeout_minutes=180,
            is_computing=True,
            compact_task=EXTRACT,
        ),
        Kind(
            "validate",
            "include.run.validate:validate",
            "The log names the expectation, the column and sample values. Look at `control.quality` and "
            "`control.rejections` for this firm. Correct the source, then rerun from the extract step. The "
            "last good snapshot stays in the warehouse meanwhile.",
            retries=4,  # of infrastructure errors; a data-quality failure is final at once
        ),
        Kind(
            "query",
            "include.run.compute:query",
            f"{_INPUTS} Out of memory or disk is named too.",
            is_computing=True,
            may_skip=True,
        ),
        Kind("features", "include.run.compute:features", _INPUTS, is_computing=True, may_skip=True),
        Kind(
            "sample",
            "include.run.compute:sample",
            _INPUTS,
            timeout_minutes=180,
            is_computing=True,
            may_skip=True,
        ),
        Kind("compute", "include.run.compute:compute", _INPUTS, is_computing=True, may_skip=True),
        Kind(
            "fit",
            "include.run.compute:fit",
            "Is there enough data? `control.module_status` gives the reason when a module was skipped.",
            is_computing=True,
            may_skip=True,
        ),
        Kind(
            "predict",
            "include.run.compute:predict",
            "Did the fit before it write its parameters for this as_of? The log names what is missing.",
            is_computing=True,
            may_skip=True,
        ),
        Kind(
            "load",
            "include.run.load:load",
            "Is the warehouse up, and does another session hold a lock (`pg_stat_activity`)? A refused load "
            "names the check in `include/sql/check/` and the rows; nothing was committed.",
            retries=4,
            retry_delay_seconds=60,
            compact_task=LOAD,
        ),
        Kind(
            "score",
            "include.run.score:score",
            "Is the warehouse up? The step compares facts that are loaded already and reads nothing else.",
            retries=4,
            compact_task=LOAD,
        ),
        Kind(
            "publish",
            "include.run.publish:publish",
            "Is the firm's own database up, and may its login write there? The tables change in one "
            "transaction. Deliveries that the webhook refused are in `control.outbox` and are sent again.",
            retries=4,
            compact_task=LOAD,
        ),
    )
}

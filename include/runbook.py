"""The runbook in Airflow: pages of a firm's DAG and tasks, and the commands that rerun them."""

from __future__ import annotations

from datetime import date, timedelta

from include.firms import FirmShape
from include.schedule import DAILY, WEEKLY, instant_of, is_scheduled, run_day
from include.steps import Stage, Step


def rerun_command(
    firm_key: str, as_of: date | str, *, from_step: str | None = None, resume: bool = False
) -> str:
    """The command that runs a firm without Airflow: all steps, those from one on, or the unfinished ones."""
    options = (f" --from {from_step}" if from_step else "") + (" --resume" if resume else "")
    return f"python -m include run {firm_key} --as-of {as_of}{options}"


def backfill_command(firm: FirmShape, first: date, last: date) -> str:
    """The Airflow command that computes the snapshots from ``first`` to ``last``, both included.

    Airflow limits the starts of intervals, to the second and in UTC, but an as_of is the end of an interval:
    with plain dates it would omit a snapshot or compute one too many.
    """
    days = firm.working_day_period
    if days == 0:
        raise ValueError(
            f"firm {firm.firm_key} has no schedule; backfill it: python -m include backfill {firm.firm_key}"
        )
    ends = run_day(first + timedelta(days=days - 1), every_days=days), run_day(last, every_days=days)
    starts = (
        instant_of(
            end - timedelta(days=days),
            hour=firm.schedule_hour,
            minute=firm.schedule_minute,
            zone=firm.timezone,
        )
        for end in ends
    )
    start, stop = (f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in starts)
    command = f"python -m include airflow backfill create --dag-id firm_{firm.firm_key}"
    return f"{command} --from-date {start} --to-date {stop}"


def schedule_text(firm: FirmShape) -> str:
    """The firm's schedule as text."""
    if firm.is_paused:
        return "paused: runs only when started by hand"
    if not is_scheduled(firm):
        return "inactive: runs only when started by hand"
    at = f"at {firm.schedule_hour:02d}:{firm.schedule_minute:02d} {firm.timezone}"
    named = {DAILY: "every day", WEEKLY: "every Monday"}
    return f"{named.get(firm.working_day_period, f'every {firm.working_day_period} days')} {at}"


def dag_page(firm: FirmShape) -> str:
    """The page of a firm's DAG."""
    return f"""\
### {firm.name}

Customer analytics of firm `{firm.firm_key}` as of one day: extract, check, compute, load.

- **Runs** {schedule_text(firm)}. `as_of` is the firm's date at the interval's end; later rows are not used.
- **Reads** the firm's own `{firm.source_kind}` system. **Writes** the firm's rows of `dim_*` and `fact_*`.
- **Grain** one snapshot per firm and `as_of`; a second run replaces the first with the same rows.
- **When it fails** the last snapshot stays current, and other firms are not affected. Open the red task, read
  the last lines of its log, then its page (Details, Documentation).
- **Rerun** here: *Clear* the failed task with *Downstream*. Another day: *Trigger* with `as_of` set and no
  logical date (a logical date would replace a scheduled run).
  By hand: `{rerun_command(firm.firm_key, "DATE")}`
- **Many days**: `python -m include airflow backfill create --dag-id firm_{firm.firm_key} --from-date D
  --to-date D`, where the
  dates bound the *starts* of intervals, in UTC; `as_of` is an interval's end, so the first is a day later.
"""


def stage_page(firm: FirmShape, stage: Stage) -> str:
    """The page of one task."""
    name = stage.steps[0].name if stage.is_split else stage.name
    return f"""\
{stage.does}

{"".join(_step_lines(firm, step) for step in stage.steps)}
- **Retries** {stage.retries}, each attempt at most {stage.timeout_minutes} minutes. An automatic retry skips
  the steps that an earlier attempt of this run completed from the same inputs. *Clear* computes all of them.
- **Rerun** here: *Clear* this task with *Downstream*. By hand:
  `{rerun_command(firm.firm_key, "DATE", from_step=name)}`
"""


def _step_lines(firm: FirmShape, step: Step) -> str:
    """One step: what it does, reads and writes, and what to check first."""
    reads = (
        ", ".join(f"`{dataset.name}`" for dataset in step.reads) or f"the firm's `{firm.source_kind}` system"
    )
    if step.writes is not None:
        writes, grain = f"dataset `{step.writes.name}`", ", ".join(step.writes.grain)
    elif step.table is not None:
        writes, grain = f"table `analytics.{step.table}`", ", ".join(("firm", *step.reads[0].grain))
    elif step.kind_name == "publish":
        reads, writes, grain = "views of `mart`", "the firm's own schema", "see `docs/publishing.md`"
    else:
        writes, grain = "`control.quality`", "firm, as_of, expectation"
    return f"""\
- `{step.name}`: {step.does}
  - **Reads** {reads}. **Writes** {writes}; **grain** {grain}
  - **First thing to check** {step.kind.first_check}
"""

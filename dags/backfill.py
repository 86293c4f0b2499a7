"""Computes missing snapshots of firms. `python -m include backfill ... --in-airflow` starts it.

- **plan** finds the firms that have days to run in the range.
- **firms** runs a firm's days one after another, one mapped task per firm. The pool `firmament_backfill`
  limits how many firms run at the same time. A retry continues with the days that are missing.
- **report** compares the range with the warehouse, and fails while days are missing.

To cancel: `python -m include backfill --cancel`, or mark the run as failed. Starting the same range again
continues it.
"""

from include.airflow_version import require_airflow

require_airflow()  # first: an older Airflow lacks what is imported below

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.firms import BACKFILL_POOL
from include.settings import Settings


def wanted() -> Any:
    """The range that the run was started with; a mistake in it is final."""
    from include.backfill_runs import Range

    try:
        return Range.of(get_current_context()["params"])
    except ValueError as error:
        raise AirflowFailException(str(error)) from error


@task(multiple_outputs=False)
def plan() -> list[list[str]]:
    """Find the firms that have days to run."""
    from include.backfill_runs import firm_groups

    return firm_groups(Settings.read(), wanted())


@task(multiple_outputs=False, retries=2, retry_delay=timedelta(minutes=2))
def firms(keys: list[str]) -> dict[str, int]:
    """Run the missing days of a firm, from first to last."""
    from include.backfill_runs import run_group
    from include.faults import die_with_parent

    die_with_parent()
    return run_group(Settings.read(), wanted(), keys, run_id=get_current_context()["run_id"])


@task(multiple_outputs=False, trigger_rule="all_done")
def report() -> list[str]:
    """Compare the range with the warehouse; fail while days are missing."""
    from include.backfill_runs import BackfillError, reconcile

    try:
        return reconcile(Settings.read(), wanted())
    except BackfillError as error:
        raise AirflowFailException(str(error)) from error


with DAG(
    "firmament_backfill",
    dag_display_name="Firmament: backfill",
    description="Computes missing snapshots in a range of days",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=1,
    params={
        "firm": Param("", type="string", description="The firm's key; empty: every firm with a schedule."),
        "first": Param("2020-01-01", type="string", format="date", description="The first as_of."),
        "last": Param("2020-01-01", type="string", format="date", description="The last as_of."),
        "stale": Param(False, type="boolean", description="Run stale days again, too."),
    },
    tags=["firmament", "backfill"],
    default_args={
        "owner": "firmament",
        "pool": BACKFILL_POOL,
        "priority_weight": 1,
        "weight_rule": "absolute",
    },
):
    firms.expand(keys=plan()) >> report()

"""Keeps the installation in order, every hour: the schema, the registry of firms, and what was left behind.

- **check_schema** fails when the warehouse lacks a migration, with the command that applies it.
- **sync_firms** writes the registry that DAG files read, and adds the pools that Airflow lacks. It refuses to
  drop more than a fifth of the firms at once; if that is meant, trigger this DAG with `force` set. It fails
  when a firm's row cannot be read, after writing the others.
- **collect** removes files of attempts that ended long ago and that nothing refers to. Once a day, after
  02:00 UTC, it removes old snapshots, logs, incidents and Airflow runs, if settings say so (`docs/scale.md`).
- **check_snapshots** opens an incident when a firm's facts are not there by their deadline.
- **check_late_rows** opens an incident when a firm's source has changed in closed months.
- **check_drift** opens an incident when a firm's customers differ from those a model was trained on.
- **check_incidents** closes incidents that are over, and sends messages that no target has accepted yet.
- **deliver_changes** sends each firm's webhook the changes that it did not take.
- **publish_benchmarks** compares the firms that share their ratios, once a month, a week after it ended.

Every task may be run again at any time. The same by hand: `python -m include firms sync`.

The DAG `firmament_heartbeat` opens an incident, every two minutes, when the watcher has written no heartbeat.
"""

from include.airflow_version import require_airflow

require_airflow()  # first: an older Airflow lacks what is imported below

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.firms import FirmError
from include.incidents import FailureNotifier
from include.incidents.beats import UpkeepBeat
from include.settings import Settings


@task
def check_schema() -> None:
    """Fail when the warehouse lacks a migration."""
    from include.upkeep import check_schema
    from include.warehouse import MigrationError

    try:
        check_schema(Settings.read())
    except MigrationError as error:
        raise AirflowFailException(str(error)) from error


@task(multiple_outputs=False)
def sync_firms() -> dict[str, Any]:
    """Write the registry from ``control.firms``, and add the pools that Airflow lacks."""
    from include.upkeep import sync

    try:
        report, added = sync(Settings.read(), force=bool(get_current_context()["params"]["force"]))
    except FirmError as error:
        raise AirflowFailException(str(error)) from error
    return {"kept": len(report.kept), "dropped": list(report.dropped), "pools": added}


@task(multiple_outputs=False)
def collect() -> dict[str, Any]:
    """Remove files of attempts that nothing refers to and, once a day, what the settings do not keep."""
    from include.upkeep import collect

    files, lines = collect(Settings.read(), at=get_current_context()["dag_run"].run_after)
    return {"files": files, "retention": lines}


@task
def check_snapshots() -> list[str]:
    """Open an incident when a firm's facts are not there by their deadline."""
    from include.upkeep import missing_snapshots

    # When the run was due, and not when a late scheduler came to it.
    return missing_snapshots(Settings.read(), at=get_current_context()["dag_run"].run_after)


@task
def check_late_rows() -> list[str]:
    """Open an incident when a firm's source has changed in closed months."""
    from include.upkeep import late_rows

    return late_rows(Settings.read())


@task
def check_drift() -> list[str]:
    """Open an incident when a firm's customers differ from those a model was trained on."""
    from include.upkeep import model_drift

    return model_drift(Settings.read())


@task
def check_incidents() -> list[int]:
    """Close incidents that are over, and send messages that no target has accepted yet."""
    from include.upkeep import check_incidents

    return check_incidents(Settings.read())


@task
def check_watcher() -> list[str]:
    """Open an incident when the watcher has written no heartbeat for 3 minutes; send metrics."""
    from include.monitoring import send_installation
    from include.watcher import report_silence

    settings = Settings.read()
    silent = report_silence(settings)
    send_installation(settings)
    return silent


@task
def publish_benchmarks() -> int:
    """Publish last month's quartiles of the firms that share their ratios, once."""
    from include.benchmarks import publish_benchmarks

    return publish_benchmarks(Settings.read(), at=get_current_context()["dag_run"].run_after)


@task(multiple_outputs=False)
def deliver_changes() -> dict[str, str]:
    """Send each firm's webhook the changes that it did not take."""
    from include.publishing.webhook import deliver_due

    return deliver_due(Settings.read())


with DAG(
    "firmament_upkeep",
    dag_display_name="Firmament: upkeep",
    description="Schema, registry, old handoffs, missing snapshots",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("17 * * * *", timezone="UTC"),
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=50),
    params={"force": Param(False, type="boolean", description="Drop any number of firms from the registry.")},
    tags=["firmament", "upkeep"],
    default_args={
        "owner": "firmament",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(minutes=20),
        "on_failure_callback": FailureNotifier(),
        "on_success_callback": UpkeepBeat(),
    },
):
    # Not one after the other: a firm whose row is bad fails the sync, and must keep nothing else waiting.
    chores = [
        sync_firms(),
        collect(),
        check_snapshots(),
        check_late_rows(),
        check_drift(),
        check_incidents(),
        deliver_changes(),
        publish_benchmarks(),
    ]
    check_schema() >> chores


with DAG(
    "firmament_heartbeat",
    dag_display_name="Firmament: heartbeat of the watcher",
    description="Reports a watcher that has ended",
    doc_md="Opens an incident when the watcher has written no heartbeat for 3 minutes.",
    schedule=CronDataIntervalTimetable("*/2 * * * *", timezone="UTC"),
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=10),
    tags=["firmament", "upkeep"],
    default_args={
        "owner": "firmament",
        "execution_timeout": timedelta(minutes=2),
        "on_failure_callback": FailureNotifier(),
        "on_success_callback": UpkeepBeat(),
    },
):
    check_watcher()

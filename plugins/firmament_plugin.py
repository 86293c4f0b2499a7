"""The Airflow plugin of Firmament: a timetable, and a listener for quick tasks.

They run inside Airflow's own services, so this file imports nothing of the pipeline.
"""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from airflow.configuration import conf
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from pendulum import DateTime, instance, now

from include.schedule import due_at, instant_of

log = logging.getLogger(__name__)

# What steps import of others' code: three seconds a step. None of ours, or tasks would go on with the code
# that the scheduler started with. A clean gate imports neither pandas nor Great Expectations (2.5 CPU s), but
# first extractions and training dates do, and every firm has the same training dates.
WARM = (
    "adbc_driver_postgresql.dbapi",
    "airflow.providers.common.compat.sdk",
    "babel.dates",
    "babel.numbers",
    "duckdb",
    "great_expectations",
    "lightgbm",
    "pandas",
    "pgpq",
    "psycopg",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.fs",
    "pyarrow.parquet",
    "scipy.optimize",
    "scipy.special",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.isotonic",
    "sqlglot.dialects.duckdb",
    "sqlglot.optimizer",
)


class EveryDays(Timetable):
    """A run every so many days, at a time of the firm's own clock.

    Airflow's delta timetable counts from the epoch in UTC, whatever the start date, so its runs would
    fall on midnight UTC and not on the firm's hour.
    """

    def __init__(self, days: int, *, hour: int, zone: str, minute: int = 0) -> None:
        self.days, self.hour, self.minute, self.zone = days, hour, minute, zone

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        """Build it from what ``serialize`` gave."""
        return cls(data["days"], hour=data["hour"], minute=data.get("minute", 0), zone=data["zone"])

    def serialize(self) -> dict[str, Any]:
        """Its settings, as JSON."""
        return {"days": self.days, "hour": self.hour, "minute": self.minute, "zone": self.zone}

    @property
    def summary(self) -> str:
        """What the list of DAGs shows."""
        return f"every {self.days} days at {self.hour:02d}:{self.minute:02d} {self.zone}"

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The last whole interval before a manual run's logical date."""
        end = self._floor(run_after)
        return DataInterval(start=self._move(end, -1), end=end)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The interval after the last one; without catch-up, no earlier than the last whole one."""
        earliest = restriction.earliest
        if not restriction.catchup:
            latest_whole = self._move(self._floor(now("UTC")), -1)
            earliest = max(latest_whole, earliest) if earliest else latest_whole
        starts = [self._ceiling(earliest)] if earliest else []
        if last_automated_data_interval is not None:
            # After a change of rhythm the last end may lie between two days of the new one.
            starts.append(self._ceiling(last_automated_data_interval.end))
        if not starts or (restriction.latest is not None and max(starts) > restriction.latest):
            return None
        return DagRunInfo.interval(start=max(starts), end=self._move(max(starts), 1))

    def _floor(self, at: DateTime) -> DateTime:
        return instance(due_at(at, every_days=self.days, hour=self.hour, minute=self.minute, zone=self.zone))

    def _ceiling(self, at: DateTime) -> DateTime:
        floor = self._floor(at)
        return floor if floor == at else self._move(floor, 1)

    def _move(self, due: DateTime, intervals: int) -> DateTime:
        day = due.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=self.days * intervals)
        return instance(instant_of(day, hour=self.hour, minute=self.minute, zone=self.zone))


class WarmWorkers:
    """Imports the libraries of the steps before the scheduler forks its workers.

    The local executor's workers, and the tasks they fork, then share what was read once. Other executors
    start their workers elsewhere, and nothing happens.
    """

    @hookimpl
    def on_starting(self, component: object) -> None:
        """Import them, in a scheduler with a local executor; what is missing is left to the step to miss."""
        if sys.argv[1:2] != ["scheduler"] or conf.get("core", "executor") != "LocalExecutor":
            return
        logging.getLogger("great_expectations").setLevel(logging.WARNING)  # hundreds of lines otherwise
        for name in WARM:
            try:
                import_module(name)
            except ImportError as error:
                log.info("Tasks will not find %s imported: %s", name, error)


class FirmamentPlugin(AirflowPlugin):
    """The registration itself."""

    name = "firmament"
    timetables = [EveryDays]  # noqa: RUF012 - Airflow's own signature
    listeners = [WarmWorkers()]  # noqa: RUF012

"""The watcher: a small process outside what it watches.

Each minute it checks Airflow's services, DAGs, queue, pools and runs, the firms' deadlines, the disk, the
clock and certificates, opens incidents for what it finds, closes those that are over, and writes a heartbeat.
In between it sends the messages that are due. ``make up`` and compose start it; elsewhere one line of cron
is enough:
``* * * * * cd PROJECT && .venv/bin/python -m include.watcher --once``.

A finding opens an incident when two passes in a row have it, so that a restart sends no message. If
``FIRMAMENT_PING_URL`` is set, each pass requests that URL: a service that expects it tells when the watcher,
or the whole machine, is gone. The DAG ``firmament_heartbeat`` looks every two minutes and opens an incident
when the heartbeat is older than 3 minutes, so a watcher that has ended is reported within 5 minutes.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import httpx

from include.deadlines import missed_deadlines, report_deadlines
from include.incidents.causes import cause_of_error
from include.incidents.closing import WATCHER, recheck
from include.incidents.error_text import first_line
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, record, report, report_all
from include.incidents.spool import recover, send_unsent
from include.registry import known_firms
from include.settings import Settings
from include.warehouse import WarehouseError
from include.warehouse.heartbeats import Heartbeats
from include.watcher.airflow_checks import AIRFLOW_KINDS, airflow_findings
from include.watcher.certificates import CERTIFICATE_KINDS, certificate_findings
from include.watcher.finding import Finding
from include.watcher.machine_checks import MACHINE_KINDS, machine_findings

SILENCE = timedelta(minutes=3)
PING_VARIABLE = "FIRMAMENT_PING_URL"

log = logging.getLogger(__name__)


class Watcher:
    """Runs the checks, pass after pass. It keeps which snapshots are complete: they are looked up once."""

    def __init__(self, settings: Settings) -> None:
        """Watch the installation of these settings."""
        self._settings = settings
        self._complete: set[tuple[str, date]] = set()

    def one_pass(self) -> list[Finding]:
        """Run every check once, report, close and deliver; what was found. It never raises."""
        found: list[Finding] = []
        try:
            found = self._checked()
        except Exception as error:
            self._warehouse_failed(error)
        _ping()
        return found

    def _checked(self) -> list[Finding]:
        settings = self._settings
        recover(settings)
        found = findings(settings)
        with Heartbeats(settings.warehouse_dsn()) as heartbeats:
            before = set(heartbeats.detail(WATCHER).get("found", []))
            confirmed = [one for one in found if one.key in before]
            _report(confirmed, settings)
            missed, self._complete = missed_deadlines(settings, at=datetime.now(UTC), complete=self._complete)
            report_deadlines(settings, missed)
            heartbeats.beat(WATCHER, {"found": sorted({one.key for one in found})})
        recheck(settings)
        return found

    def _warehouse_failed(self, error: Exception) -> None:
        """Keep the failure of a pass, which is mostly the warehouse's, and send what is in files."""
        log.warning("A pass of the watcher failed: %s", first_line(error))
        with contextlib.suppress(Exception):
            failure = Failure(None, first_line(error), "watcher.log", task_id=WATCHER)
            record(cause_of_error(error, None), failure, self._settings)
            if isinstance(error, WarehouseError):
                send_unsent(self._settings)


def findings(settings: Settings) -> list[Finding]:
    """What is wrong with Airflow, the machine and certificates now."""
    firms = {firm.firm_key: firm for firm in known_firms(settings.registry)}
    now = datetime.now(UTC)
    return [
        *airflow_findings(firms, now=now),
        *machine_findings(settings),
        *certificate_findings(settings, now=now),
    ]


def report_silence(settings: Settings) -> list[str]:
    """Open an incident when a watcher has run and its heartbeat is older than 3 minutes."""
    with Heartbeats(settings.warehouse_dsn()) as heartbeats:
        age = heartbeats.ages().get(WATCHER)
    silent = []
    if age is not None and age > SILENCE:
        minutes = int(age.total_seconds() // 60)
        silent = [(WATCHER, Failure(None, f"the last heartbeat is {minutes} minutes old", "watcher.log"))]
    report(KINDS["watcher_silent"], silent, settings)
    return [failure.error for _, failure in silent]


def _report(found: Sequence[Finding], settings: Settings) -> None:
    kinds = [KINDS[name] for name in (*AIRFLOW_KINDS, *MACHINE_KINDS, *CERTIFICATE_KINDS)]
    failures = [
        (KINDS[one.kind], one.resource, Failure(one.firm, one.says, one.where, one.as_of)) for one in found
    ]
    report_all(kinds, failures, settings)


def _ping() -> None:
    """Tell an outside service that this pass has ended; without the URL nothing happens."""
    if url := os.environ.get(PING_VARIABLE):
        try:
            httpx.get(url, timeout=10)
        except httpx.HTTPError as error:  # the text of the error may hold the URL, which is a secret
            log.warning("The ping was not accepted: %s", type(error).__name__)

"""Metrics for dashboards, sent through Airflow's own client: by StatsD or OpenTelemetry.

Nothing is sent unless ``[metrics] statsd_on`` or ``otel_on`` is set. A metric that cannot be sent is a line
in the log and never fails a task. Only stages have the firm as a tag: steps of a thousand firms would be
40,000 time series.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any, NamedTuple

from include.incidents.closing import WATCHER
from include.incidents.kinds import SEVERITIES
from include.settings import Settings
from include.warehouse.heartbeats import Heartbeats
from include.warehouse.incident_rows import IncidentRows

FLUSH_MILLISECONDS = 5_000
# Where Airflow's versions keep their client.
CLIENTS = ("airflow.sdk.observability.stats", "airflow.stats")

log = logging.getLogger(__name__)


class Metric(NamedTuple):
    """A metric: its name after Airflow's prefix, its type (timing, counter, gauge), its tags, its meaning."""

    name: str
    type: str
    tags: tuple[str, ...]
    about: str


STEP_DURATION = Metric(
    "firmament.step.duration", "timing", ("step", "status"), "time of a step, of all firms"
)
STEP_ROWS = Metric("firmament.step.rows", "counter", ("step",), "rows that a step wrote, of all firms")
STAGE_DURATION = Metric("firmament.stage.duration", "timing", ("firm", "stage"), "time of a firm's task")
STAGE_FAILED = Metric("firmament.stage.failed", "counter", ("firm", "stage", "kind"), "failed attempts")
INCIDENTS_OPEN = Metric("firmament.incidents.open", "gauge", ("severity",), "incidents that are open")
WATCHER_AGE = Metric("firmament.watcher.age", "gauge", (), "seconds since the watcher's heartbeat")
METRICS = (STEP_DURATION, STEP_ROWS, STAGE_DURATION, STAGE_FAILED, INCIDENTS_OPEN, WATCHER_AGE)


SWITCHES = ("statsd_on", "statsd_datadog_enabled", "otel_on")  # of Airflow's section [metrics]


def is_on() -> bool:
    """Whether Airflow is configured to send metrics."""
    from airflow.sdk.configuration import conf

    return any(conf.getboolean("metrics", switch, fallback=False) for switch in SWITCHES)


def send_stage(firm_key: str, stage: str, outcomes: Sequence[Any]) -> None:
    """Send the time and rows of each step of a task, and the task's time."""
    if not is_on():
        return
    with _client() as client:
        for outcome in outcomes:
            status = "skipped" if outcome.is_skipped else "done"
            took = timedelta(seconds=outcome.seconds)
            client.timing(STEP_DURATION.name, took, tags={"step": outcome.step, "status": status})
            if not outcome.is_skipped:
                client.incr(STEP_ROWS.name, outcome.rows, tags={"step": outcome.step})
        took = timedelta(seconds=sum(outcome.seconds for outcome in outcomes))
        client.timing(STAGE_DURATION.name, took, tags={"firm": firm_key, "stage": stage})


def send_failure(firm_key: str, stage: str, kind: str) -> None:
    """Count a failed attempt of a task by its kind of incident."""
    if not is_on():
        return
    with _client() as client:
        client.incr(STAGE_FAILED.name, 1, tags={"firm": firm_key, "stage": stage, "kind": kind})


def send_installation(settings: Settings) -> None:
    """Send the number of open incidents by severity, and the age of the watcher's heartbeat."""
    if not is_on():
        return
    with _client() as client:
        dsn = settings.warehouse_dsn()
        with IncidentRows(dsn) as rows:
            severities = [row["severity"] for row in rows.incidents(is_open=True)]
        for severity in SEVERITIES:
            client.gauge(INCIDENTS_OPEN.name, severities.count(severity), tags={"severity": severity})
        with Heartbeats(dsn) as heartbeats:
            age = heartbeats.ages().get(WATCHER)
        if age is not None:
            client.gauge(WATCHER_AGE.name, int(age.total_seconds()))


@contextmanager
def _client() -> Iterator[Any]:
    """Airflow's client; an error of a metric is logged and goes no further."""
    try:
        yield _found()
        _flush()
    except Exception as error:
        log.warning("Metrics were not sent: %s: %s", type(error).__name__, error)


def _found() -> Any:
    for name in CLIENTS:
        try:
            module = import_module(name)
        except ImportError:
            continue
        return getattr(module, "Stats", module)
    raise ImportError(f"this Airflow has none of {', '.join(CLIENTS)}")


def _flush() -> None:
    """Send what OpenTelemetry has collected: a task's process ends without doing so."""
    from opentelemetry import metrics

    flush = getattr(metrics.get_meter_provider(), "force_flush", None)
    if flush is not None:
        flush(FLUSH_MILLISECONDS)

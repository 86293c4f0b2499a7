"""Metrics leave through Airflow's own client, to a real StatsD socket; the dashboard asks for them alone."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from include.incidents.causes import Cause
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, record
from include.monitoring import METRICS
from include.settings import PROJECT, Settings
from include.warehouse.heartbeats import Heartbeats

DASHBOARD = json.loads((PROJECT / "examples" / "grafana" / "firmament.json").read_text())
SENDS = """
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
from include import monitoring
from include.run.stage import Outcome
from include.settings import Settings
monitoring.send_stage("acme", "rfm", [
    Outcome("predict_rfm", 60, 1.5, 1.0, 50.0), Outcome("load_x", 9, 0.5, 0.1, 50.0, is_skipped=True),
])
monitoring.send_failure("acme", "rfm", "disk_full")
monitoring.send_installation(Settings.read())
"""


def sent(port: int, folder, **environ: str) -> None:
    """Send every metric in a process with Airflow's metrics configured; it must not fail."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AIRFLOW__METRICS")}
    done = subprocess.run(
        [sys.executable, "-c", SENDS], cwd=PROJECT, capture_output=True, text=True, check=False,
        env={
            **kept, "AIRFLOW_HOME": str(folder), "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_PORT": str(port), "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
            **environ,
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture
def received():
    """A StatsD server: a socket, and what has come to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)

        def lines() -> list[str]:
            found = []
            while True:
                try:
                    found.append(server.recv(4096).decode())
                except TimeoutError:
                    return [line for line in found if "firmament" in line]  # Airflow sends its own too

        yield server.getsockname()[1], lines


def test_every_metric_reaches_a_statsd_server_with_its_tags(received, migrated_dsn, tmp_path, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    port, lines = received
    record(Cause(KINDS["disk_full"], "disk"), Failure(None, "full", "log"), Settings.read())
    with Heartbeats(migrated_dsn) as heartbeats:
        heartbeats.beat("watcher")
        heartbeats.connection.execute(
            "update control.heartbeats set beat_at = clock_timestamp() - interval '70 s'"
        )

    sent(port, tmp_path)

    found = {re.sub(r"age:([7-9]\d|\d{3})\|g$", "age:70|g", line) for line in lines()}
    assert found == {
        "airflow.firmament.step.duration,step=predict_rfm,status=done:1500.000000|ms",
        "airflow.firmament.step.duration,step=load_x,status=skipped:500.000000|ms",
        "airflow.firmament.step.rows,step=predict_rfm:60|c",
        "airflow.firmament.stage.duration,firm=acme,stage=rfm:2000.000000|ms",
        "airflow.firmament.stage.failed,firm=acme,stage=rfm,kind=disk_full:1|c",
        "airflow.firmament.incidents.open,severity=critical:1|g",
        "airflow.firmament.incidents.open,severity=error:0|g",
        "airflow.firmament.incidents.open,severity=warning:0|g",
        "airflow.firmament.watcher.age:70|g",
    }
    names = {line.partition(":")[0].partition(",")[0].removeprefix("airflow.") for line in found}
    assert names == {metric.name for metric in METRICS}


def test_nothing_is_sent_unless_airflow_sends_metrics_and_a_lost_warehouse_fails_nothing(
    received, tmp_path, monkeypatch
):
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", "postgresql://u:p@127.0.0.1:9/none")
    port, lines = received

    sent(port, tmp_path, AIRFLOW__METRICS__STATSD_ON="False")
    off = lines()
    sent(port, tmp_path)

    assert off == []
    assert {"step", "stage"} == {line.split(".")[2] for line in lines()}


def prometheus_names() -> dict[str, tuple[str, ...]]:
    """The names that statsd_exporter gives, and their labels."""
    found = {}
    for metric in METRICS:
        name = f"airflow_{metric.name.replace('.', '_')}"
        for suffix in ("_sum", "_count") if metric.type == "timing" else ("",):
            found[name + suffix] = metric.tags
    return found


def test_the_dashboard_asks_for_every_metric_and_for_no_other():
    exprs = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]

    asked = set(re.findall(r"airflow_firmament_\w+", " ".join(exprs)))

    assert asked == set(prometheus_names())


def test_the_dashboard_groups_and_filters_by_labels_that_the_metrics_have():
    known = prometheus_names()

    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            asked = re.findall(r"airflow_firmament_\w+", target["expr"])
            labels = set(re.findall(r"by \((\w+)\)|[{,](\w+)=", target["expr"]))
            used = {one for pair in labels for one in pair if one}
            used |= set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert all(used <= set(known[name]) for name in asked), panel["title"]
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    assert len(places) == len(set(places))
    (firms,) = [one for one in DASHBOARD["templating"]["list"] if one["name"] == "firm"]
    assert re.findall(r"airflow_firmament_\w+", firms["query"])[0] in known


def test_the_page_lists_every_metric():
    page = (PROJECT / "docs" / "airflow.md").read_text()

    for metric in METRICS:
        tags = ", ".join(f"`{tag}`" for tag in metric.tags) or "none"
        assert f"| `{metric.name}` | {metric.type} | {tags} | {metric.about} |" in page

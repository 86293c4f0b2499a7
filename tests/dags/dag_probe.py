"""Run in a process of its own: parse DAG files as Airflow does, and write what came of it as JSON."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

HEAVY = ("pandas", "lightgbm", "sklearn", "great_expectations", "duckdb", "psycopg", "adbc_driver_postgresql")


def refuse(*address: object) -> None:
    raise OSError(f"a DAG file opened a connection to {address}")


def main(path: str, report_to: str) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    before = set(sys.modules)
    connect, socket.socket.connect = socket.socket.connect, refuse  # type: ignore[method-assign,assignment]
    started = time.process_time()
    bag = DagBag(path)
    built = time.process_time() - started
    socket.socket.connect = connect  # type: ignore[method-assign]
    serialized = {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()}
    report = {
        "errors": {name.rpartition("/")[2]: text for name, text in bag.import_errors.items()},
        "dags": serialized,
        "heavy": sorted(set(HEAVY) & (set(sys.modules) - before)),
        "heavy_before": sorted(set(HEAVY) & before),
        "seconds": {"build": built, "serialize": time.process_time() - started - built},
    }
    Path(report_to).write_text(json.dumps(report, default=str))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

"""Run in a process of its own: parse DAG files as Airflow does, and write what came of it as JSON.

As Airflow's DAG processor, it imports Airflow once and parses in forks. A request is a line of JSON on
stdin: a path, where to report to, and variables to set; the answer on stdout is the fork's exit code.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import traceback
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization

HEAVY = ("pandas", "lightgbm", "sklearn", "great_expectations", "duckdb", "psycopg", "adbc_driver_postgresql")


def refuse(*address: object) -> None:
    raise OSError(f"a DAG file opened a connection to {address}")


def parse(path: str, bundle: str, report_to: str) -> None:
    before = set(sys.modules)
    connect, socket.socket.connect = socket.socket.connect, refuse  # type: ignore[method-assign,assignment]
    started = time.process_time()
    bag = BundleDagBag(path, bundle_path=Path(bundle))
    built = time.process_time() - started
    socket.socket.connect = connect  # type: ignore[method-assign]
    serialized = {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()}
    report = {
        "errors": {name.rpartition("/")[2]: text for name, text in bag.import_errors.items()},
        "dags": serialized,
        "imported": sorted(set(sys.modules) - before),
        "heavy": sorted(set(HEAVY) & (set(sys.modules) - before)),
        "heavy_before": sorted(set(HEAVY) & before),
        "seconds": {"build": built, "serialize": time.process_time() - started - built},
    }
    Path(report_to).write_text(json.dumps(report, default=str))


def in_a_fork(path: str, bundle: str, report_to: str, environ: dict[str, str]) -> int:
    child = os.fork()
    if child == 0:
        try:
            os.dup2(2, 1)  # stdout is for answers
            os.environ.update(environ)
            parse(path, bundle, report_to)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(in_a_fork(**json.loads(line)), flush=True)

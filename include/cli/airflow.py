"""``airflow``: run a command of Airflow with the settings of this installation."""

from __future__ import annotations

import os
import sys

import typer


def airflow(context: typer.Context) -> None:
    """Run an Airflow command on this installation's Airflow, also from a plain shell.

    Example: python -m include airflow dags unpause firm_acme
    """
    from include.connections import prepare_airflow

    prepare_airflow()
    os.environ.pop("_AIRFLOW_PROCESS_CONTEXT", None)  # the new process decides for itself
    # Commands of this installation find its plugins through PYTHONPATH.
    path = [entry for entry in sys.path if entry]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path))
    os.execv(sys.executable, [sys.executable, "-m", "airflow", *context.args])

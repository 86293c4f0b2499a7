"""Resolve Airflow connections: the same answer in a task, a command and a plain shell.

In a task, Airflow's API server resolves a connection. A command has no API server. There Airflow searches
its secrets backend, ``AIRFLOW_CONN_<ID>`` and its metastore, as ``airflow connections get`` does.

A plain shell does not know where the metastore is. ``make up`` therefore writes the Airflow settings of the
services to ``<FIRMAMENT_HOME>/airflow/services.json`` (mode 0600), and a command reads them from there.
Variables that the shell exports win. An ``AIRFLOW_HOME`` of another Airflow is used as it is.

Airflow is imported on first use: the import takes about 2 seconds.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.settings import Settings, SettingsError, as_libpq, write_private

PROCESS_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"  # Airflow's own name; `airflow connections` sets it too


def connection(conn_id: str) -> Any:
    """The Airflow connection of that id; SettingsError when Airflow has none."""
    prepare_airflow()
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get(conn_id)
    except AirflowNotFoundException as error:
        raise SettingsError(_not_found(conn_id)) from error


def connection_uri(conn_id: str) -> str:
    """The URI of a connection; ``postgresql://`` for every spelling of PostgreSQL, as libpq requires."""
    return as_libpq(connection(conn_id).get_uri())


def prepare_airflow() -> None:
    """Configure Airflow in a process that Airflow did not start. Call it before Airflow is imported."""
    if _started_by_airflow():
        return
    if "airflow" in sys.modules or _configured():
        # Without it the SDK leaves the metastore out of its search.
        os.environ[PROCESS_CONTEXT] = "server"


def remember_services(settings: Settings, environ: Mapping[str, str]) -> None:
    """Write the Airflow settings of the services for commands in a plain shell; they hold secrets."""
    kept = {name: text for name, text in environ.items() if name.startswith(("AIRFLOW", "PYTHONPATH"))}
    write_private(_services_file(settings), json.dumps(kept, indent=1, sort_keys=True))


def _services_file(settings: Settings) -> Path:
    return settings.home / "airflow" / "services.json"


def _started_by_airflow() -> bool:
    task_runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    return PROCESS_CONTEXT in os.environ or getattr(task_runner, "SUPERVISOR_COMMS", None) is not None


def _configured() -> bool:
    """Add what the environment lacks; False where no Airflow is set up, so that no metastore is created."""
    settings = Settings.read()
    home = settings.home / "airflow"
    chosen = os.environ.get("AIRFLOW_HOME")
    if chosen and Path(chosen).expanduser().resolve() != home:
        return True
    try:
        services: dict[str, str] = json.loads(_services_file(settings).read_text())
    except (FileNotFoundError, NotADirectoryError):
        if (Path.home() / "airflow" / "airflow.cfg").exists() or chosen:
            return True
        # Airflow writes airflow.cfg when it is first imported: not into the user's home.
        os.environ["AIRFLOW_HOME"] = str(home)
        return "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in os.environ
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{_services_file(settings)} cannot be read ({error}); run the command as the user who runs "
            "`make up`; `make up` writes the file again"
        ) from error
    sys.path += [path for path in services.pop("PYTHONPATH", "").split(os.pathsep) if path not in sys.path]
    for name, text in services.items():
        os.environ.setdefault(name, text)
    return True


def _not_found(conn_id: str) -> str:
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    if variable in os.environ:
        # The value is left out of the message: it holds a password.
        return f"connection {conn_id!r}: {variable} is neither a URI nor a JSON object"
    return (
        f"no connection {conn_id!r} in Airflow (its secrets backend, {variable}, and the metastore of "
        f"AIRFLOW_HOME={os.environ.get('AIRFLOW_HOME', '~/airflow')}); add it with "
        f"`airflow connections add {conn_id} --conn-uri ...`, or set {variable} to its URI"
    )

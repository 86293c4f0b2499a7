"""Resolve Airflow connections: the same answer in a task, a command and a plain shell.

In a task, Airflow's API server resolves a connection. A command has no API server. There Airflow searches
its secrets backend, ``AIRFLOW_CONN_<ID>`` and its metastore, as ``airflow connections get`` does.

A plain shell does not know where the metastore is. ``make up`` therefore writes the Airflow settings of the
services to ``<FIRMAMENT_HOME>/airflow/services.json`` (mode 0600), and a command reads them from there; so
it does the FIRMAMENT_* variables that ``make up`` was started with, such as FIRMAMENT_ROOT.
Variables that the shell exports win. An ``AIRFLOW_HOME`` of another Airflow is used as it is.

Airflow is imported on first use: the import takes about 2 seconds.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.settings import WAREHOUSE_VARIABLE, Settings, SettingsError, as_libpq, write_private

POSTGRES = ("postgres", "postgresql")
WAREHOUSE_DSN = "FIRMAMENT_WAREHOUSE_DSN"
NOT_REMEMBERED = frozenset({"FIRMAMENT_HOME", "FIRMAMENT_FAULT", "FIRMAMENT_AIRFLOW_PASSWORD"})
PROCESS_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"  # Airflow's own name; `airflow connections` sets it too


class MissingConnectionError(SettingsError):
    """Airflow has no usable connection of that id. A task is not retried."""


class UnansweredConnectionError(SettingsError):
    """Airflow found no connection of that id, perhaps because a part of it is down. A task is retried."""


def connection(conn_id: str) -> Any:
    """The Airflow connection of that id.

    MissingConnectionError when Airflow has none, UnansweredConnectionError when that is not certain.
    """
    prepare_airflow()
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get(conn_id)
    except AirflowNotFoundException as error:
        raise _not_found(conn_id) from error


def connection_uri(conn_id: str) -> str:
    """The URI of a connection; ``postgresql://`` for every spelling of PostgreSQL, as libpq requires."""
    found = connection(conn_id)
    if found.conn_type in POSTGRES and found.extra_dejson:
        found = _for_libpq(found)
    return as_libpq(found.get_uri())


def connection_in_environment(conn_id: str) -> dict[str, Any] | None:
    """A connection that is JSON in the environment or in the services' file, without importing Airflow.

    None also where a secrets backend may have another.
    """
    if services_setting("AIRFLOW__SECRETS__BACKEND"):
        return None
    try:
        fields = json.loads(services_setting(f"AIRFLOW_CONN_{conn_id.upper()}"))
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def services_setting(name: str) -> str:
    """A variable of the services: of this environment, else of the services' file; empty without one."""
    return os.environ.get(name) or _remembered(Settings.read()).get(name, "")


def prepare_airflow() -> None:
    """Configure Airflow in a process that Airflow did not start. Call it before Airflow is imported."""
    if _started_by_airflow():
        return
    if "airflow" in sys.modules or _configured():
        # Without it the SDK leaves the metastore out of its search.
        os.environ[PROCESS_CONTEXT] = "server"


def remember_services(settings: Settings, environ: Mapping[str, str]) -> None:
    """Write the Airflow settings of the services, and the FIRMAMENT_* variables they were started with.

    Commands in a plain shell read them. They hold secrets.
    """
    kept = {name: text for name, text in environ.items() if name.startswith(("AIRFLOW", "PYTHONPATH"))}
    exported = {
        name: text
        for name, text in settings.environ.items()
        if name.startswith("FIRMAMENT_") and name not in NOT_REMEMBERED
    }
    if text := settings.environ.get(WAREHOUSE_VARIABLE):
        exported.setdefault(WAREHOUSE_DSN, as_libpq(text) if "://" in text else settings.warehouse_dsn())
    write_private(_services_file(settings), json.dumps({**kept, **exported}, indent=1, sort_keys=True))


def apply_remembered_settings() -> None:
    """Set the FIRMAMENT_* variables that ``make up`` was started with. Call it when a command starts.

    Otherwise a command in a plain shell would write to the default FIRMAMENT_ROOT. Variables that the shell
    exports win. FIRMAMENT_HOME is never set: it says where the file lies.
    """
    for name, text in _remembered(Settings.read()).items():
        if not name.startswith("FIRMAMENT_") or name in NOT_REMEMBERED:
            continue
        if name == WAREHOUSE_DSN and WAREHOUSE_VARIABLE in os.environ:
            continue
        os.environ.setdefault(name, text)


def _remembered(settings: Settings) -> dict[str, str]:
    """The content of the services' file; empty where ``make up`` never ran."""
    path = _services_file(settings)
    try:
        found: dict[str, str] = json.loads(path.read_text())
        return found
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read ({error}); run the command as the user who runs `make up`; "
            "`make up` writes the file again"
        ) from error


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
    services = _remembered(settings)
    if not services:
        if (Path.home() / "airflow" / "airflow.cfg").exists() or chosen:
            return True
        # Airflow writes airflow.cfg when it is first imported: not into the user's home.
        os.environ["AIRFLOW_HOME"] = str(home)
        return "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in os.environ
    sys.path += [path for path in services.pop("PYTHONPATH", "").split(os.pathsep) if path not in sys.path]
    for name, text in services.items():
        if not name.startswith("FIRMAMENT_"):
            os.environ.setdefault(name, text)
    return True


def _for_libpq(found: Any) -> Any:
    """The connection as Airflow's Postgres hook connects: its own options removed, a token for ``iam``.

    Airflow writes an option that is no text, such as ``keepalives_idle: 30``, in a form libpq refuses.
    """
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    result = copy.copy(found)
    if found.extra_dejson.get("iam"):
        hook = PostgresHook(postgres_conn_id=found.conn_id)
        result.login, result.password, result.port = hook.get_iam_token(found)
    options = {
        name: str(value)
        for name, value in found.extra_dejson.items()
        if name not in PostgresHook.ignored_extra_options
    }
    result.extra = json.dumps(options)
    return result


def _not_found(conn_id: str) -> SettingsError:
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    if variable in os.environ:
        # The value is left out of the message: it holds a password.
        return MissingConnectionError(
            f"connection {conn_id!r}: {variable} is neither a URI nor a JSON object"
        )
    if not _is_certainly_missing(conn_id):
        return UnansweredConnectionError(
            f"Airflow found no connection {conn_id!r}, but its database or secrets backend may be down; "
            "if it is up, add the connection with "
            f"`python -m include airflow connections add {conn_id} --conn-uri ...`"
        )
    return MissingConnectionError(
        f"no connection {conn_id!r} in Airflow (its secrets backend, {variable}, and the metastore of "
        f"AIRFLOW_HOME={os.environ.get('AIRFLOW_HOME', '~/airflow')}); add it with "
        f"`python -m include airflow connections add {conn_id} --conn-uri ...`, or set {variable} to its URI"
    )


def _is_certainly_missing(conn_id: str) -> bool:
    """Whether the metastore answers, and has no such connection.

    In a task, the SDK raises AirflowNotFoundException also when the API server cannot be reached, and the API
    server answers 404 also when its database cannot. So the API server is asked twice, and in between for the
    state of this run, which it reads from the database. With a secrets backend of your own, the answer is
    never certain: its outage looks the same.
    """
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    if getattr(runner, "SUPERVISOR_COMMS", None) is None:
        return True  # a command: this process has asked the metastore itself, and nothing retries it
    try:
        from airflow.sdk import get_current_context
        from airflow.sdk.configuration import conf

        if conf.get("secrets", "backend", fallback="") or conf.get("workers", "secrets_backend", fallback=""):
            return False
        instance: Any = get_current_context()["ti"]
        if not _says_missing(runner, conn_id):
            return False
        instance.get_dagrun_state(dag_id=instance.dag_id, run_id=instance.run_id)
        return _says_missing(runner, conn_id)
    except Exception:  # any answer but these leaves it uncertain
        return False


def _says_missing(runner: Any, conn_id: str) -> bool:
    """Whether the API server answers that it has no such connection."""
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse, GetConnection

    try:
        answer = runner.SUPERVISOR_COMMS.send(GetConnection(conn_id=conn_id))
    except AirflowRuntimeError as error:
        answer = error.error
    return isinstance(answer, ErrorResponse) and answer.error == ErrorType.CONNECTION_NOT_FOUND

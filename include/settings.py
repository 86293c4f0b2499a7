"""Where things are: one small record, read from the environment and nothing else.

| variable | means | when it is not set |
| --- | --- | --- |
| ``FIRMAMENT_HOME`` | folder of everything the embedded stack keeps | ``<project>/.firmament`` |
| ``FIRMAMENT_ROOT`` | URL under which handoffs are kept | ``file://<home>/handoffs`` |
| ``FIRMAMENT_REGISTRY`` | the JSON list of firms that DAG files read | ``<home>/registry.json`` |
| ``FIRMAMENT_MEMORY_MB`` | what one step's engine may hold in memory | 1024 |
| ``FIRMAMENT_WAREHOUSE_DSN`` | the warehouse | ``AIRFLOW_CONN_FIRMAMENT_WAREHOUSE``, then our own server |

DAG files import this module at every parse, so it uses the standard library alone.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from include.processes import is_alive, started_at

PROJECT = Path(__file__).resolve().parent.parent
WAREHOUSE_CONN_ID = "firmament_warehouse"


class SettingsError(LookupError):
    """Something that was asked for is configured nowhere; the message says how to mend it."""


@dataclass(frozen=True)
class Settings:
    """Where this installation keeps its things. Build it with :meth:`read`."""

    home: Path
    root: str
    registry: Path
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold passwords

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """The settings in ``environ`` (the process's own, unless given)."""
        environ = dict(os.environ if environ is None else environ)
        home = Path(environ.get("FIRMAMENT_HOME") or PROJECT / ".firmament").expanduser().resolve()
        return cls(
            home=home,
            root=environ.get("FIRMAMENT_ROOT") or (home / "handoffs").as_uri(),
            registry=Path(environ.get("FIRMAMENT_REGISTRY") or home / "registry.json"),
            environ=environ,
        )

    @property
    def postgres(self) -> Path:
        """Folder of the embedded server."""
        return self.home / "postgres"

    @property
    def memory_mb(self) -> int:
        """What the embedded engine may hold in memory, in megabytes."""
        return int(self.environ.get("FIRMAMENT_MEMORY_MB") or 1024)

    @property
    def logs(self) -> Path:
        """Folder of every service's log."""
        return self.home / "logs"

    def warehouse_dsn(self) -> str:
        """The warehouse's URL, as psycopg takes it."""
        if dsn := self.environ.get("FIRMAMENT_WAREHOUSE_DSN"):
            return dsn
        if uri := _connection_in(self.environ, WAREHOUSE_CONN_ID):
            return uri
        if (state := embedded_server(self.postgres)) is not None:
            return str(state["dsn"])
        raise SettingsError(
            f"no warehouse: no embedded server runs in {self.postgres}; start it with `make up`, "
            "or set FIRMAMENT_WAREHOUSE_DSN=postgresql://user:password@host:port/database"
        )

    def connection_uri(self, conn_id: str) -> str:
        """The URI of an Airflow connection: from ``AIRFLOW_CONN_<ID>``, else from Airflow."""
        if uri := _connection_in(self.environ, conn_id):
            return uri
        if _airflow_is_configured(self.environ) and (uri := _connection_in_airflow(conn_id)):
            return uri
        raise SettingsError(
            f"no connection {conn_id!r}: set {_variable(conn_id)} to its URI, "
            f"or add it to Airflow with `airflow connections add {conn_id} --conn-uri ...`"
        )


def embedded_server(folder: Path) -> dict[str, object] | None:
    """What the embedded server in ``folder`` wrote of itself, when that process is alive."""
    try:
        state: dict[str, object] = json.loads((folder / "server.json").read_text())
    except PermissionError as error:
        raise SettingsError(f"{error.filename} may be read only by its owner") from error
    except (FileNotFoundError, NotADirectoryError):
        return None
    pid = int(str(state["pid"]))
    # After a reboot the pid may be another process's.
    return state if is_alive(pid) and state.get("started") == started_at(pid) else None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    temporary.replace(path)


def _variable(conn_id: str) -> str:
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def _connection_in(environ: Mapping[str, str], conn_id: str) -> str | None:
    text = environ.get(_variable(conn_id), "").strip()
    if not text.startswith("{"):
        return _as_libpq(text) or None
    try:
        return _as_libpq(_uri(json.loads(text)))
    except (ValueError, AttributeError) as error:
        # The value is left out of the message: it holds a password.
        raise SettingsError(f"{_variable(conn_id)} is neither a URI nor a JSON object") from error


def _uri(parts: dict[str, object]) -> str:
    """Airflow's JSON form of a connection, as a URI."""

    def text(key: str) -> str:
        return quote(str(parts.get(key) or ""), safe="")

    login = text("login") + (f":{text('password')}" if parts.get("password") else "")
    port = f":{parts['port']}" if parts.get("port") else ""
    extra = parts.get("extra") or {}
    if isinstance(extra, str):
        extra = json.loads(extra)
    if not all(isinstance(value, str) for value in extra.values()):  # type: ignore[attr-defined]
        extra = {"__extra__": json.dumps(extra)}
    return (
        f"{str(parts.get('conn_type') or 'generic').replace('_', '-')}://"
        + (f"{login}@" if login else "")
        + f"{text('host')}{port}/{text('schema')}"
        + (f"?{urlencode(extra)}" if extra else "")  # type: ignore[arg-type]
    )


def _as_libpq(uri: str) -> str:
    """Airflow says ``postgres://`` and SQLAlchemy adds its driver; libpq takes one spelling."""
    scheme, colon, rest = uri.partition("://")
    if scheme.partition("+")[0] in ("postgres", "postgresql"):
        return f"postgresql{colon}{rest}"
    return uri


def _airflow_is_configured(environ: Mapping[str, str]) -> bool:
    # Importing Airflow where it is not set up costs seconds and writes a folder in the user's home.
    return (
        "airflow" in sys.modules
        or "AIRFLOW_HOME" in environ
        or (Path.home() / "airflow" / "airflow.cfg").exists()
    )


def _connection_in_airflow(conn_id: str) -> str | None:
    try:
        from airflow.sdk import BaseHook
        from airflow.sdk.exceptions import AirflowException
    except ImportError:
        return None
    try:
        return _as_libpq(BaseHook.get_connection(conn_id).get_uri())
    except AirflowException:  # not found, or the task's API refused it
        return None

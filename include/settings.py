"""Where things are: one small record, read from the environment and nothing else.

| variable | means | when it is not set |
| --- | --- | --- |
| ``FIRMAMENT_HOME`` | folder of everything the embedded stack keeps | ``<project>/.firmament`` |
| ``FIRMAMENT_ROOT`` | URL under which handoffs are kept | ``file://<home>/handoffs`` |
| ``FIRMAMENT_REGISTRY`` | the JSON list of firms that DAG files read | ``<home>/registry.json`` |
| ``FIRMAMENT_SHARED_FOLDER`` | ``1``: all hosts mount the folder of ``FIRMAMENT_ROOT`` | they do not |
| ``FIRMAMENT_ALLOW_PLAINTEXT`` | ``1``: a warehouse on another host may lack TLS | TLS is required |
| ``FIRMAMENT_MEMORY_MB`` | what one step's DuckDB (engine, gate, csv source) may hold in memory | 1024 |
| ``FIRMAMENT_WAREHOUSE_DSN`` | the warehouse | ``AIRFLOW_CONN_FIRMAMENT_WAREHOUSE``, then our own server |

Read where they are used, not here:

| variable | means | when it is not set |
| --- | --- | --- |
| ``AIRFLOW_CONN_FIRMAMENT_WAREHOUSE`` | the warehouse as an Airflow connection (URI, JSON) | our own server |
| ``FIRMAMENT_SOURCE_ROOTS`` | folders, separated like ``PATH``, in which csv folders must lie | any folder |
| ``FIRMAMENT_POOL_SLOTS`` | how many tasks may read one source at the same time | 4 |
| ``FIRMAMENT_WAREHOUSE_SLOTS`` | how many tasks of firms may use the warehouse at the same time | 16 |
| ``FIRMAMENT_BACKFILL_SLOTS`` | how many firms a backfill in Airflow may run at the same time | 2 |
| ``FIRMAMENT_KEEP_SNAPSHOT_DAYS`` | days of daily snapshots (35 or more); then one per month | for ever |
| ``FIRMAMENT_KEEP_LOG_DAYS`` | days that log files are kept | for ever |
| ``FIRMAMENT_KEEP_INCIDENT_DAYS`` | days that closed incidents are kept | for ever |
| ``FIRMAMENT_KEEP_AIRFLOW_DAYS`` | days of runs in Airflow's database (``airflow db clean``) | for ever |
| ``FIRMAMENT_ALERT_WEBHOOK`` | Airflow connection for alerts of firms that name none | no webhook |
| ``FIRMAMENT_ALERT_SLACK`` | Airflow connection for alerts of firms that name none | no Slack message |
| ``FIRMAMENT_ALERT_SMTP`` | Airflow connection for alerts of firms that name none | no mail |
| ``FIRMAMENT_ALERT_EMAIL_TO`` | recipients of those mails, separated by commas | no recipient |
| ``FIRMAMENT_PING_URL`` | URL that the watcher requests each minute: a dead man's switch | no request |
| ``FIRMAMENT_DEBUG`` | any text: ``run`` prints the traceback of a failed step | its first line |
| ``FIRMAMENT_FAULT`` | for tests: the fault to inject, as ``include/faults.py`` says | no fault |

Connections of sources, targets, stores and alerts are Airflow's: ``include/connections.py`` resolves them.
DAG files import this module at every parse, so it uses the standard library alone.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

PROJECT = Path(__file__).resolve().parent.parent
WAREHOUSE_CONN_ID = "firmament_warehouse"
WAREHOUSE_VARIABLE = "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE"


class SettingsError(LookupError):
    """A required setting is not configured; the message says how to fix it."""


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
        text = self.environ.get("FIRMAMENT_MEMORY_MB") or "1024"
        if not re.fullmatch(r"[1-9]\d{1,6}", text):
            raise SettingsError(f"FIRMAMENT_MEMORY_MB={text!r} must be a number of megabytes, 10 or more")
        return int(text)

    @property
    def is_shared_folder(self) -> bool:
        """Whether all hosts mount the folder of handoffs."""
        return self.environ.get("FIRMAMENT_SHARED_FOLDER", "") not in ("", "0")

    @property
    def logs(self) -> Path:
        """Folder of every service's log."""
        return self.home / "logs"

    def warehouse_dsn(self) -> str:
        """The warehouse's URL, as psycopg takes it, with TLS on another host."""
        if dsn := self.environ.get("FIRMAMENT_WAREHOUSE_DSN"):
            return self._with_tls(dsn)
        if text := self.environ.get(WAREHOUSE_VARIABLE, "").strip():
            return self._with_tls(as_libpq(_uri_of_json(text) if text.startswith("{") else text))
        if (state := embedded_server(self.postgres)) is not None:
            return str(state["dsn"])
        raise SettingsError(
            f"no warehouse: no embedded server runs in {self.postgres}; start it with `make up`, "
            "or set FIRMAMENT_WAREHOUSE_DSN=postgresql://user:password@host:port/database"
        )

    def _with_tls(self, dsn: str) -> str:
        """Add ``sslmode=require``; libpq's own default goes on without TLS when the server has none."""
        allowed = self.environ.get("FIRMAMENT_ALLOW_PLAINTEXT", "") not in ("", "0")
        parts = urlsplit(dsn)
        if allowed or parts.scheme not in ("postgresql", "postgres") or is_local(parts.hostname or ""):
            return dsn
        if "sslmode=" in parts.query or self.environ.get("PGSSLMODE"):
            return dsn
        query = f"{parts.query}&sslmode=require" if parts.query else "sslmode=require"
        return urlunsplit(parts._replace(query=query))


def is_local(host: str) -> bool:
    """Whether a host's name is of this machine: empty, a folder of a socket, or the loopback address."""
    return host in ("", "localhost", "::1") or host.startswith(("/", "%2f", "127."))


def embedded_server(folder: Path) -> dict[str, object] | None:
    """What the embedded server in ``folder`` wrote of itself, when that process is alive."""
    # Not at the top: a DAG file imports this module, and psutil is no part of the standard library.
    from include.processes import is_alive, started_at

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
    with os.fdopen(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as out:
        out.write(text)
    temporary.replace(path)


def as_libpq(uri: str) -> str:
    """The URI as libpq spells it: Airflow writes ``postgres://``, SQLAlchemy adds its driver."""
    scheme, colon, rest = uri.partition("://")
    if scheme.partition("+")[0] in ("postgres", "postgresql"):
        return f"postgresql{colon}{rest}"
    return uri


def _uri_of_json(text: str) -> str:
    """Airflow's JSON form of the warehouse's connection as a URI, so that the warehouse needs no Airflow."""
    try:
        fields = json.loads(text)
        extra = fields.get("extra") or {}
        login, password, host, database = (
            quote(str(fields.get(name) or ""), safe="") for name in ("login", "password", "host", "schema")
        )
        options = urlencode(json.loads(extra) if isinstance(extra, str) else extra)
    except (ValueError, TypeError, AttributeError) as error:
        # The value is left out of the message: it holds a password.
        raise SettingsError(f"{WAREHOUSE_VARIABLE} is neither a URI nor a JSON object") from error
    user = f"{login}:{password}@" if password else f"{login}@" if login else ""
    port = f":{fields['port']}" if fields.get("port") else ""
    return f"postgresql://{user}{host}{port}/{database}" + (f"?{options}" if options else "")

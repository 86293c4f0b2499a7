"""The embedded stack: PostgreSQL and Airflow's four services on this machine, and nothing else.

:func:`up` starts what does not run, :func:`down` ends all of it, :func:`health` says what is wrong with
each part, and :func:`env` is the environment every service gets. ``FIRMAMENT_WAREHOUSE_DSN`` takes the
place of the embedded server; Airflow's metadata then lies beside it, in a database ``airflow``, unless
``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN`` says where.

| variable | means | when it is not set |
| --- | --- | --- |
| ``FIRMAMENT_AIRFLOW_PORT`` | port of Airflow's UI and API | the last one, else any free one |
| ``FIRMAMENT_AIRFLOW_PASSWORD`` | password of its user ``admin`` | generated once |
| ``FIRMAMENT_POSTGRES_PORT`` | port of the embedded server | the last one, else any free one |
| ``FIRMAMENT_UP_SECONDS`` | how long services may take to be healthy | 180 |
"""

import contextlib
import fcntl
import importlib
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from include import postgres
from include.settings import Settings, write_private
from include.stack import services
from include.stack.environment import (
    ADMIN,
    fingerprint,
    keys,
    merge,
    service_environment,
    write_passwords,
)

Say = Callable[[str], None]


class StackError(RuntimeError):
    """A part of the stack did not start: which one, and what it said."""


@dataclass(frozen=True)
class Stack:
    """A running stack: where to look."""

    url: str
    user: str
    password: str
    warehouse: str
    logs: Path
    seconds: dict[str, float]


def up(settings: Settings | None = None, *, say: Say = lambda line: None) -> Stack:
    """Start what does not run, and return when every part is healthy.

    A part that fails is named in the error with the end of its log, and whatever this call started is
    ended again. Services whose environment has changed since they were started are started anew.
    """
    settings = settings or Settings.read()
    seconds: dict[str, float] = {}
    with _locked(settings), contextlib.ExitStack() as undo, _timed(seconds, "all"):
        state = _State.read(settings)
        if state and not state.runs:
            say("a service has ended: starting all of them anew")
            _end_services(settings)
            state = None
        port = _port(settings, state)
        if postgres.running(settings.postgres) is None:
            undo.callback(postgres.stop, settings.postgres)
        with _timed(seconds, "postgres"):
            dsn = _warehouse_server(settings)
        with _timed(seconds, "warehouse schema"):
            _migrate_warehouse(dsn)
        environ = _environment(settings, dsn, port)
        if state and state.fingerprint != fingerprint(environ):
            say("the settings have changed: starting the services anew")
            _end_services(settings)
            state = None
        if state is None:
            undo.callback(_end_services, settings)
            with _timed(seconds, "airflow metadata"):
                _migrate_metadata(settings, environ, say)
            state = _start_services(settings, environ)
        with _timed(seconds, "airflow services"):
            _wait_until_healthy(settings, state)
        undo.pop_all()
    return Stack(
        url=environ["AIRFLOW__API__BASE_URL"],
        user=ADMIN,
        password=_admin_password(settings),
        warehouse=dsn,
        logs=settings.logs,
        seconds=seconds,
    )


def warehouse(settings: Settings | None = None) -> str:
    """The URL of the warehouse, its server started and its schema up to date; Airflow is not touched."""
    settings = settings or Settings.read()
    with _locked(settings):
        dsn = _warehouse_server(settings)
        _migrate_warehouse(dsn)
    return dsn


def down(settings: Settings | None = None, *, say: Say = lambda line: None) -> bool:
    """End every part, children included; False when nothing ran."""
    settings = settings or Settings.read()
    if not settings.home.exists():
        return False
    with _locked(settings):
        ended, killed = _end_services(settings)
        if killed:
            say(f"did not end in {services.PATIENCE_SECONDS} s and were killed: {', '.join(killed)}")
        return postgres.stop(settings.postgres) or ended


def health(settings: Settings | None = None) -> dict[str, str]:
    """What is wrong with each part: an empty text where it is healthy."""
    settings = settings or Settings.read()
    state = _State.read(settings)
    port, since = (state.port, state.since) if state else (0, services.now())
    found = services.health(state.processes if state else [], port, since=since)
    return {"warehouse": _warehouse_problem(settings), **found}


def env(settings: Settings | None = None) -> dict[str, str]:
    """The environment every service gets; with it, `airflow` commands see the running stack."""
    settings = settings or Settings.read()
    state = _State.read(settings)
    if state is None:
        raise StackError("Airflow does not run here; start it with `make up`")
    return _environment(settings, settings.warehouse_dsn(), state.port)


@dataclass(frozen=True)
class _State:
    """What is written down of the services that were started."""

    port: int
    fingerprint: str
    started_at: str
    records: list[dict[str, str | int]]

    @property
    def processes(self) -> list[services.Process]:
        return [services.Process(str(s["name"]), int(s["pid"]), str(s["started"])) for s in self.records]

    @property
    def since(self) -> datetime:
        return datetime.fromisoformat(self.started_at)

    @property
    def runs(self) -> bool:
        names = {process.name for process in self.processes if process.runs}
        return names == {service.name for service in services.SERVICES}

    @classmethod
    def read(cls, settings: Settings) -> "_State | None":
        path = settings.home / "stack.json"
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise StackError(
                f"{path} is not what this version writes ({error}); end the pids it names, then delete it"
            ) from error

    def write(self, settings: Settings) -> None:
        write_private(settings.home / "stack.json", json.dumps(asdict(self)))


def _warehouse_server(settings: Settings) -> str:
    """The warehouse's URL; the embedded server is started unless the environment names another."""
    for name in ("FIRMAMENT_WAREHOUSE_DSN", "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE"):
        if settings.environ.get(name):
            if problem := _warehouse_problem(settings):
                raise StackError(f"warehouse: {name} leads nowhere: {problem}")
            return settings.warehouse_dsn()
    port = _number(settings, "FIRMAMENT_POSTGRES_PORT")
    return postgres.start(settings.postgres, port=port, log=settings.logs / "postgres.log").dsn()


def _warehouse_problem(settings: Settings) -> str:
    import psycopg

    try:
        with psycopg.connect(settings.warehouse_dsn(), connect_timeout=5) as connection:
            connection.execute("select 1")
    except (LookupError, psycopg.Error) as error:
        return str(error).strip()
    return ""


def _migrate_warehouse(dsn: str) -> None:
    spec = importlib.util.find_spec("include.warehouse")
    if spec is not None and spec.origin is not None:
        importlib.import_module("include.warehouse").migrate(dsn)


def _environment(settings: Settings, dsn: str, port: int) -> dict[str, str]:
    own = service_environment(
        settings, warehouse=dsn, metadata=_beside(dsn, "airflow"), port=port, keys=keys(settings)
    )
    write_passwords(settings, _admin_password(settings))
    return merge(own, settings.environ)


def _admin_password(settings: Settings) -> str:
    return settings.environ.get("FIRMAMENT_AIRFLOW_PASSWORD") or keys(settings)["admin_password"]


def _beside(dsn: str, database: str) -> str:
    """The URL of another database of the same server."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(path=f"/{database}"))


def _port(settings: Settings, state: _State | None) -> int:
    wanted = _number(settings, "FIRMAMENT_AIRFLOW_PORT")
    if state and wanted in (None, state.port):
        return state.port
    remembered = settings.home / "airflow" / "port"
    port = postgres.free_port(wanted or (int(remembered.read_text()) if remembered.exists() else 0))
    if wanted and port != wanted:
        raise StackError(
            f"api-server: port {wanted} of 127.0.0.1 is taken; choose another FIRMAMENT_AIRFLOW_PORT, "
            "or leave it unset to have a free one chosen"
        )
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(str(port))
    return port


def _number(settings: Settings, name: str) -> int | None:
    text = settings.environ.get(name, "")
    if text and not text.isdecimal():
        raise StackError(f"{name} must be a number, and is {text!r}")
    return int(text) if text else None


def _migrate_metadata(settings: Settings, environ: dict[str, str], say: Say) -> None:
    """Bring Airflow's own tables up to date; when that was done before, nothing but a look."""
    stamp = settings.home / "airflow" / "migrated"
    url = environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    revision = _metadata_revision(url, create=True)
    if revision and stamp.exists() and stamp.read_text() == f"{version('apache-airflow')} {revision}":
        return
    say("creating Airflow's metadata" if revision is None else "migrating Airflow's metadata")
    log = settings.logs / "airflow-migrate.log"
    if services.run_airflow(["db", "migrate"], environ, log):
        raise StackError(f"airflow db migrate failed; the end of {log}:\n{services.tail(log)}")
    stamp.write_text(f"{version('apache-airflow')} {_metadata_revision(url)}")


def _metadata_revision(url: str, *, create: bool = False) -> str | None:
    """The revision of Airflow's tables, None where there are none; the database is created."""
    import psycopg

    if not url.startswith("postgresql"):
        return None  # somebody else's choice: `airflow db migrate` looks for itself
    dsn = "postgresql://" + url.partition("://")[2]
    name = urlsplit(dsn).path.strip("/")
    if create:
        try:
            postgres.create_database_at(_beside(dsn, "postgres"), name)
        except psycopg.Error as error:
            with contextlib.suppress(psycopg.Error), psycopg.connect(dsn):
                return _metadata_revision(url)  # it is there; we may only not create any
            raise StackError(
                f"Airflow's metadata: there is no database {name!r} on the warehouse's server and it cannot "
                f"be created ({str(error).strip()}); create it, or set AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
            ) from error
    with psycopg.connect(dsn) as connection:
        try:
            row = connection.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return str(row[0]) if row else None


def _start_services(settings: Settings, environ: dict[str, str]) -> _State:
    since = services.now().isoformat()
    started: list[dict[str, str | int]] = []
    state = _State(int(environ["AIRFLOW__API__PORT"]), fingerprint(environ), since, started)
    for service in services.SERVICES:
        log = settings.logs / f"{service.name}.log"
        log.unlink(missing_ok=True)  # a log is of one life; tasks keep theirs
        started.append(asdict(services.spawn(service, environ, log)))
        state.write(settings)  # at once: whatever happens to us, `down` finds it
    return state


def _end_services(settings: Settings) -> tuple[bool, list[str]]:
    state = _State.read(settings)
    if state is None:
        return False, []
    ended = any(process.runs for process in state.processes)
    killed = services.end(state.processes)
    (settings.home / "stack.json").unlink()
    return ended, killed


def _wait_until_healthy(settings: Settings, state: _State) -> None:
    limit = _number(settings, "FIRMAMENT_UP_SECONDS") or 180
    deadline = time.monotonic() + limit
    while True:
        dead = [process.name for process in state.processes if not process.runs]
        found = services.health(state.processes, state.port, since=state.since)
        problems = {name: problem for name, problem in found.items() if problem}
        if not problems:
            return
        if dead or time.monotonic() > deadline:
            raise StackError(_story(settings, problems, dead, limit))
        time.sleep(0.2)


def _story(settings: Settings, problems: dict[str, str], dead: list[str], limit: int) -> str:
    """Which parts failed and the end of their logs; the first to die comes first."""
    parts = []
    for name in dead or problems:
        log = settings.logs / f"{name}.log"
        when = "" if name in dead else f" after {limit} s (FIRMAMENT_UP_SECONDS)"
        problem = problems.get(name, "has ended")
        parts.append(f"{name}: {problem}{when}; the end of {log}:\n{services.tail(log)}")
    return "Airflow did not start.\n" + "\n".join(parts)


@contextlib.contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """One `up` or `down` at a time; the kernel lets go of the lock when we end."""
    # Root's server runs as another user, who has to pass through the folder.
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o711)
    settings.logs.mkdir(exist_ok=True)
    with (settings.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    seconds[what] = time.monotonic() - start

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

import compileall
import contextlib
import fcntl
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from include import postgres
from include.airflow_version import AirflowTooOldError, require_airflow
from include.connections import remember_services
from include.private_files import close_home, private_folder, private_umask
from include.settings import PROJECT, Settings
from include.stack import services
from include.stack.databases import (
    Say,
    beside,
    migrate_metadata,
    migrate_warehouse,
    warehouse_problem,
    warehouse_server,
)
from include.stack.environment import (
    ADMIN,
    fingerprint,
    keys,
    merge,
    service_environment,
    service_passwords,
    write_passwords,
)
from include.stack.state import StackError, State, number

__all__ = ["Stack", "StackError", "down", "env", "health", "up", "warehouse"]


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
    try:
        require_airflow()
    except AirflowTooOldError as error:
        raise StackError(str(error)) from None
    settings = settings or Settings.read()
    seconds: dict[str, float] = {}
    with _locked(settings), contextlib.ExitStack() as undo, _timed(seconds, "all"):
        state = State.read(settings)
        if state and not state.runs:
            say("a service has ended: starting all of them anew")
            _end_services(settings)
            state = None
        port = _port(settings, state)
        if postgres.running(settings.postgres) is None:
            undo.callback(postgres.stop, settings.postgres)
        with _timed(seconds, "postgres"):
            dsn = warehouse_server(settings)
        with _timed(seconds, "warehouse schema"):
            migrate_warehouse(dsn)
        environ = _environment(settings, dsn, port)
        remember_services(settings, environ)
        if state and state.fingerprint != fingerprint(environ):
            say("the settings have changed: starting the services anew")
            _end_services(settings)
            state = None
        if state is None:
            undo.callback(_end_services, settings)
            with _timed(seconds, "airflow metadata"):
                migrate_metadata(settings, environ, say)
            # A task is a process of its own: it should find our modules compiled, as it finds everybody's.
            for folder in ("dags", "include", "plugins"):
                compileall.compile_dir(PROJECT / folder, quiet=2)
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
        dsn = warehouse_server(settings)
        migrate_warehouse(dsn)
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
    state = State.read(settings)
    port, since = (state.port, state.since) if state else (0, services.now())
    found = services.health(state.processes if state else [], port, since=since)
    return {"warehouse": warehouse_problem(settings), **found}


def env(settings: Settings | None = None) -> dict[str, str]:
    """The environment every service gets; with it, `airflow` commands see the running stack."""
    settings = settings or Settings.read()
    state = State.read(settings)
    if state is None:
        raise StackError("Airflow does not run here; start it with `make up`")
    return _environment(settings, settings.warehouse_dsn(), state.port)


def _environment(settings: Settings, dsn: str, port: int) -> dict[str, str]:
    own = service_environment(
        settings, warehouse=dsn, metadata=beside(dsn, "airflow"), port=port, keys=keys(settings)
    )
    write_passwords(settings, {ADMIN: _admin_password(settings), **service_passwords(own)})
    return merge(own, settings.environ)


def _admin_password(settings: Settings) -> str:
    return settings.environ.get("FIRMAMENT_AIRFLOW_PASSWORD") or keys(settings)["admin_password"]


def _port(settings: Settings, state: State | None) -> int:
    wanted = number(settings, "FIRMAMENT_AIRFLOW_PORT")
    if state and wanted in (None, state.port):
        return state.port
    remembered = settings.home / "airflow" / "port"
    port = postgres.free_port(wanted or (int(remembered.read_text()) if remembered.exists() else 0))
    if wanted and port != wanted:
        raise StackError(
            f"api-server: port {wanted} of 127.0.0.1 is taken; choose another FIRMAMENT_AIRFLOW_PORT, "
            "or leave it unset to have a free one chosen"
        )
    private_folder(remembered.parent)
    remembered.write_text(str(port))
    return port


def _start_services(settings: Settings, environ: dict[str, str]) -> State:
    since = services.now().isoformat()
    started: list[dict[str, str | int]] = []
    state = State(int(environ["AIRFLOW__API__PORT"]), fingerprint(environ), since, started)
    for service in services.SERVICES:
        log = settings.logs / f"{service.name}.log"
        log.unlink(missing_ok=True)  # a log is of one life; tasks keep theirs
        started.append(asdict(services.spawn(service, environ, log)))
        state.write(settings)  # at once: whatever happens to us, `down` finds it
    return state


def _end_services(settings: Settings) -> tuple[bool, list[str]]:
    state = State.read(settings)
    if state is None:
        return False, []
    ended = any(process.runs for process in state.processes)
    killed = services.end(state.processes)
    (settings.home / "stack.json").unlink()
    return ended, killed


def _wait_until_healthy(settings: Settings, state: State) -> None:
    limit = number(settings, "FIRMAMENT_UP_SECONDS") or 180
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
    close_home(settings.home)
    private_folder(settings.logs)
    with private_umask(), (settings.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    seconds[what] = time.monotonic() - start

"""The embedded stack: PostgreSQL and Airflow's services on this machine.

:func:`up` starts stopped parts, :func:`down` ends all parts, :func:`health` reports the problem of each part,
and :func:`env` is the services' environment. ``FIRMAMENT_WAREHOUSE_DSN`` replaces the embedded server;
Airflow's metadata is then in the database ``airflow`` of that server, or in
``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN``.

| variable | means | default |
| --- | --- | --- |
| ``FIRMAMENT_AIRFLOW_PORT`` | port of Airflow's UI and API | the previous port, else any free one |
| ``FIRMAMENT_AIRFLOW_PASSWORD`` | password of its user ``admin`` | generated once |
| ``FIRMAMENT_POSTGRES_PORT`` | port of the embedded server | the previous port, else any free one |
| ``FIRMAMENT_UP_SECONDS`` | seconds until all services must be healthy | 180 |
"""

import compileall
import contextlib
import fcntl
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from include import postgres
from include.airflow_version import AirflowTooOldError, require_airflow
from include.connections import remember_services
from include.private_files import close_home, private_folder, private_umask
from include.processes import started_at
from include.settings import PROJECT, Settings
from include.stack import services, watcher
from include.stack.databases import (
    Say,
    metadata_needs,
    migrate_warehouse,
    note_metadata,
    open_console,
    same_server_url,
    warehouse_problem,
    warehouse_server,
)
from include.stack.environment import (
    ADMIN,
    CONSOLE,
    CONSOLE_VARIABLE,
    fingerprint,
    keys,
    merge,
    service_environment,
    service_passwords,
    write_passwords,
)
from include.stack.state import StackError, State, number

MIGRATION, LAUNCHER = "airflow-migrate", "airflow-start"  # names of logs

__all__ = ["Stack", "StackError", "down", "env", "health", "up", "warehouse"]


@dataclass(frozen=True)
class Stack:
    """A running stack: its addresses, logs and start times."""

    url: str
    user: str
    password: str
    warehouse: str
    logs: Path
    seconds: dict[str, float]


def up(settings: Settings | None = None, *, say: Say = lambda line: None) -> Stack:
    """Start stopped parts, and return when every part is healthy.

    If a part fails, the error has its name and the end of its log, and this call ends what it started.
    Services whose environment has changed are restarted.
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
            say("a service has ended: restarting all of them")
            _end_services(settings)
            state = None
        port = _port(settings, state)
        if postgres.running(settings.postgres) is None:
            undo.callback(postgres.stop, settings.postgres)
        with _timed(seconds, "postgres"):
            dsn = warehouse_server(settings)
        with _timed(seconds, "warehouse schema"):
            migrate_warehouse(dsn)
            if CONSOLE_VARIABLE not in settings.environ:  # else the caller has set its password
                open_console(dsn, keys(settings)[CONSOLE], say)
        environ = _environment(settings, dsn, port)
        remember_services(settings, environ)
        if state and state.fingerprint != fingerprint(environ):
            say("the settings have changed: restarting the services")
            _end_services(settings)
            state = None
        if state is None:
            undo.callback(_end_services, settings)
            # Each task is a new process: compile our modules once, as packages are at installation.
            for folder in ("dags", "include", "plugins"):
                compileall.compile_dir(PROJECT / folder, quiet=2)
            state = _start_services(settings, environ, say, seconds)
        with _timed(seconds, "airflow services"):
            _wait_until_healthy(settings, state)
        watcher.start(settings, environ)
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
    """The URL of the warehouse, after starting its server and migrating its schema; without Airflow."""
    settings = settings or Settings.read()
    with _locked(settings):
        dsn = warehouse_server(settings)
        migrate_warehouse(dsn)
    return dsn


def down(settings: Settings | None = None, *, say: Say = lambda line: None) -> bool:
    """End every part with its child processes; False if nothing was running."""
    settings = settings or Settings.read()
    if not settings.home.exists():
        return False
    with _locked(settings):
        ended, killed = _end_services(settings)
        if killed:
            say(f"killed after {services.PATIENCE_SECONDS} s: {', '.join(killed)}")
        return postgres.stop(settings.postgres) or ended


def health(settings: Settings | None = None) -> dict[str, str]:
    """The problem of each part; an empty text if it is healthy."""
    settings = settings or Settings.read()
    state = State.read(settings)
    port, since = (state.port, state.since) if state else (0, services.now())
    found = services.health(state.processes if state else [], port, since=since)
    return {"warehouse": warehouse_problem(settings), **found, "watcher": watcher.problem(settings)}


def env(settings: Settings | None = None) -> dict[str, str]:
    """The services' environment; with it, `airflow` commands use the running stack."""
    settings = settings or Settings.read()
    state = State.read(settings)
    if state is None:
        raise StackError("Airflow is not running; start it: make up")
    return _environment(settings, settings.warehouse_dsn(), state.port)


def _environment(settings: Settings, dsn: str, port: int) -> dict[str, str]:
    own = service_environment(
        settings, warehouse=dsn, metadata=same_server_url(dsn, "airflow"), port=port, keys=keys(settings)
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
            f"api-server: port {wanted} of 127.0.0.1 is taken; set another FIRMAMENT_AIRFLOW_PORT, "
            "or unset it to use any free port"
        )
    private_folder(remembered.parent)
    remembered.write_text(str(port))
    return port


def _start_services(
    settings: Settings, environ: dict[str, str], say: Say, seconds: dict[str, float]
) -> State:
    """Migrate Airflow's metadata if needed, then start the services; all of it from one launcher."""
    since = services.now().isoformat()
    started: list[dict[str, str | int]] = []
    state = State(int(environ["AIRFLOW__API__PORT"]), fingerprint(environ), since, started)
    commands = []
    if what := metadata_needs(settings, environ):
        say(what)
        commands.append(services.Command(MIGRATION, ("db", "migrate"), _log(settings, MIGRATION), waits=True))
    for service in services.SERVICES:
        log = _log(settings, service.name)
        if log.exists():  # each start has its own log; that of a service that crashed is kept
            log.replace(log.with_suffix(".previous.log"))
        commands.append(services.Command(service.name, service.command, log))
    begun = time.monotonic()

    def answered(answer: dict[str, Any]) -> None:
        if answer["name"] != MIGRATION:
            pid = answer["pid"]
            started.append(asdict(services.Process(answer["name"], pid, started_at(pid))))
            state.write(settings)  # at once, so that `down` finds the service even if this process dies
        elif answer["status"]:
            log = _log(settings, MIGRATION)
            raise StackError(f"airflow db migrate failed; the end of {log}:\n{services.tail(log)}")
        else:
            note_metadata(settings, environ)
            seconds["airflow metadata"] = time.monotonic() - begun

    errors = _log(settings, LAUNCHER)
    services.launch(commands, environ, errors, answered)
    if len(started) < len(services.SERVICES):
        raise StackError(f"Airflow did not start; the end of {errors}:\n{services.tail(errors)}")
    return state


def _log(settings: Settings, name: str) -> Path:
    return settings.logs / f"{name}.log"


def _end_services(settings: Settings) -> tuple[bool, list[str]]:
    watcher.end(settings)
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
            raise StackError(_failure_text(settings, problems, dead, limit))
        time.sleep(0.2)


def _failure_text(settings: Settings, problems: dict[str, str], dead: list[str], limit: int) -> str:
    """The parts that failed and the end of their logs, in the order in which they ended."""
    parts = []
    for name in dead or problems:
        log = _log(settings, name)
        when = "" if name in dead else f" after {limit} s (FIRMAMENT_UP_SECONDS)"
        problem = problems.get(name, "has ended")
        parts.append(f"{name}: {problem}{when}; the end of {log}:\n{services.tail(log)}")
    return "Airflow did not start.\n" + "\n".join(parts)


@contextlib.contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """Run one `up` or `down` at a time; the kernel releases the lock when the process ends."""
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

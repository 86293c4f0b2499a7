"""Start, watch and end Airflow's services, each as a process with its own session."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from include.postgres import HOST
from include.private_files import UMASK, open_private
from include.processes import end_sessions, is_alive, started_at

PATIENCE_SECONDS = 15  # until a service must have ended its children and its metadata session


@dataclass(frozen=True)
class Service:
    """One of Airflow's services: its command, and its name in Airflow's health report."""

    name: str
    command: tuple[str, ...]
    reported_as: str


# Separate processes: a stopped `airflow standalone` leaves children running. The log servers are off: they
# listen on every address of the machine, and the API server can read the same files from disk. There is no
# triggerer: no task of this project is deferrable.
SERVICES = (
    Service("api-server", ("api-server",), "metadatabase"),
    Service("scheduler", ("scheduler", "--skip-serve-logs"), "scheduler"),
    Service("dag-processor", ("dag-processor",), "dag_processor"),
)


@dataclass(frozen=True)
class Process:
    """A started service."""

    name: str
    pid: int
    started: str

    @property
    def runs(self) -> bool:
        """Whether the pid still belongs to the started process."""
        return is_alive(self.pid) and started_at(self.pid) == self.started


@dataclass(frozen=True)
class Command:
    """An ``airflow`` command that the launcher runs, its log, and whether the next one waits for its end."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    waits: bool = False


def launch(
    commands: Sequence[Command],
    environ: Mapping[str, str],
    errors: Path,
    answered: Callable[[dict[str, Any]], None],
) -> None:
    """Run the commands from one launcher; ``answered`` gets its answer to each: its name, pid and status.

    Services keep running after the launcher and this process have ended. The launcher's own errors are
    written to ``errors``. When ``answered`` raises, or this process is interrupted, the launcher is ended and
    ``answered`` still gets the services that it had started.
    """
    request = {"commands": [{**asdict(command), "log": str(command.log)} for command in commands]}
    with open_private(errors, "wb") as output:
        launcher = subprocess.Popen(
            [sys.executable, "-m", "include.stack.launch", json.dumps(request)],
            cwd=environ["AIRFLOW_HOME"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,  # Ctrl-C must not end it between a fork and its answer
            umask=UMASK,
            text=True,
        )
    assert launcher.stdout is not None
    with launcher:
        try:
            for line in launcher.stdout:
                answered(json.loads(line))
        except BaseException:
            os.killpg(launcher.pid, signal.SIGTERM)  # with a setup command that it waits for
            for line in launcher.stdout:
                answered(json.loads(line))
            raise


def end(processes: list[Process]) -> list[str]:
    """End services and their children; the names of those that had to be killed."""
    # A service whose leader died may have left children in its session.
    mine = [process for process in processes if process.runs or not is_alive(process.pid)]
    killed = end_sessions([process.pid for process in mine], patience=PATIENCE_SECONDS)
    return [process.name for process in mine if process.pid in killed]


def health(processes: list[Process], port: int, *, since: datetime) -> dict[str, str]:
    """The problem of each service; an empty text if it is healthy.

    A heartbeat older than ``since`` belongs to an earlier start and does not count.
    """
    report, problem = _report(port)
    return {service.name: _problem(service, processes, report, problem, since) for service in SERVICES}


def _problem(
    service: Service,
    processes: list[Process],
    report: Mapping[str, Mapping[str, str | None]],
    problem: str,
    since: datetime,
) -> str:
    process = next((process for process in processes if process.name == service.name), None)
    if process is None:
        return "not started"
    if not process.runs:
        return f"process {process.pid} has ended"
    if problem:
        return problem if service.name == "api-server" else "unknown: the API server does not answer"
    component = report.get(service.reported_as) or {}
    if component.get("status") != "healthy":
        return f"Airflow reports {service.reported_as} {component.get('status') or 'unknown'}"
    beat = component.get(f"latest_{service.reported_as}_heartbeat")
    if service.name != "api-server" and (beat is None or datetime.fromisoformat(beat) < since):
        return "no heartbeat yet"
    return ""


def _report(port: int) -> tuple[dict[str, dict[str, str | None]], str]:
    url = f"http://{HOST}:{port}/api/v2/monitor/health"
    try:
        # A proxy of the environment's has no business between us and the loopback address.
        answer = httpx.get(url, timeout=10, trust_env=False, verify=False)
        answer.raise_for_status()
        return answer.json(), ""
    except (httpx.HTTPError, ValueError) as error:
        return {}, f"no answer from {url}: {error}"


def now() -> datetime:
    """The current instant, to compare heartbeats with."""
    return datetime.now(UTC)


def tail(log: Path, *, offset: int = 0, lines: int = 20) -> str:
    """The last lines of a log, from ``offset`` on."""
    try:
        with log.open("rb") as text:
            text.seek(max(offset, os.path.getsize(log) - 64_000))  # noqa: PTH202
            return "\n".join(text.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""

"""Start and end the watcher (``include/watcher/``), a process outside of Airflow's services."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict

from include.private_files import private_umask
from include.processes import end_sessions, started_at
from include.settings import Settings, write_private
from include.stack.services import PATIENCE_SECONDS, Process

NAME = "watcher"


def start(settings: Settings, environ: Mapping[str, str]) -> None:
    """Start the watcher with the services' environment, if it does not run."""
    found = running(settings)
    if found is not None and found.runs:
        return
    log = str(settings.logs / f"{NAME}.log")
    with private_umask():
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "include.watcher"],
            dict(environ),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    write_private(settings.home / f"{NAME}.json", json.dumps(asdict(Process(NAME, pid, started_at(pid)))))


def end(settings: Settings) -> None:
    """End the watcher."""
    if (found := running(settings)) is not None:
        if found.runs:
            end_sessions([found.pid], patience=PATIENCE_SECONDS)
        (settings.home / f"{NAME}.json").unlink(missing_ok=True)


def running(settings: Settings) -> Process | None:
    """The watcher that was started; None when there is none."""
    try:
        return Process(**json.loads((settings.home / f"{NAME}.json").read_text()))
    except (FileNotFoundError, NotADirectoryError, TypeError, ValueError):
        return None


def problem(settings: Settings) -> str:
    """What is wrong with the watcher; an empty text when it runs."""
    found = running(settings)
    if found is None:
        return "not started"
    return "" if found.runs else f"process {found.pid} has ended; start it: make up"

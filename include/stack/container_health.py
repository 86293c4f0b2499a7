"""The health check of a container: run a command; after several failures in a row, end the service.

Docker marks a container as unhealthy and leaves it running. So the check itself ends the service: with
SIGTERM to process 1, and with SIGKILL to its children when the next check fails too. Then
``restart: unless-stopped`` starts it again. Usage:
``python -m include.stack.container_health --failures 5 -- COMMAND ARGUMENTS``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil


def main(arguments: list[str]) -> int:
    """Run the command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m include.stack.container_health")
    parser.add_argument("--failures", type=int, required=True, help="failures in a row that end the service")
    parser.add_argument("--pid", type=int, default=1, help="the service's first process")
    parser.add_argument("--count-in", type=Path, default=Path("/tmp/firmament-failed-checks"))
    parser.add_argument("--seconds", type=float, default=25, help="time limit of the command")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    try:
        status = subprocess.run(options.command, timeout=options.seconds, check=False).returncode
    except subprocess.TimeoutExpired:
        print(f"no answer within {options.seconds:g} s: {' '.join(options.command)}")
        status = 1
    if status == 0:
        options.count_in.unlink(missing_ok=True)
        return 0
    failed = _counted(options.count_in, psutil.Process(options.pid).create_time())
    if failed >= options.failures:
        end(options.pid, at_once=failed > options.failures)
    return 1


def end(pid: int, *, at_once: bool) -> None:
    """Ask the service to end, or kill the children of its first process."""
    if at_once:
        for child in psutil.Process(pid).children(recursive=True):
            if child.pid != os.getpid():
                child.kill()
    else:
        os.kill(pid, signal.SIGTERM)


def _counted(path: Path, started_at: float) -> int:
    """The number of failures in a row since the service started, with this one."""
    failed = 1
    with contextlib.suppress(FileNotFoundError, ValueError):
        start, count = path.read_text().split()
        if float(start) == started_at:  # a container keeps its files when it is started again
            failed = int(count) + 1
    path.write_text(f"{started_at!r} {failed}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

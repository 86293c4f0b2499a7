"""Fork Airflow's services from one process that has imported Airflow once.

``python -m include.stack.launch REQUEST`` runs commands of ``airflow``, each in a process of its own, and
prints a line of JSON per command: ``{"name", "pid", "status"}``. REQUEST is JSON:
``{"commands": [{"name", "arguments", "log", "waits"}, ...]}``. A command that ``waits`` is a setup command,
such as ``db migrate``: the launcher waits for its exit status and starts nothing after a failure. The others
are services, each in a session of its own: they keep running when the launcher ends.

Importing Airflow takes 1.5 CPU seconds, which the services share this way.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from include.private_files import open_private

# What every service, and the migration, imports. None of it starts a thread or opens a connection.
SHARED = (
    "airflow.__main__",
    "airflow.dag_processing.manager",
    "airflow.executors.local_executor",
    "airflow.jobs.scheduler_job_runner",
)
IS_FORK_SAFE = sys.platform != "darwin"  # Apple's frameworks do not work in a forked child


def main(request: str) -> int:
    """Run the request's commands; 1 when one that it waits for fails."""
    if IS_FORK_SAFE:
        for name in SHARED:
            __import__(name)
    for command in json.loads(request)["commands"]:
        pid = os.fork()
        if pid == 0:
            if not command["waits"]:
                os.setsid()
            become(command["name"], command["arguments"], Path(command["log"]))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if command["waits"] else None
        print(json.dumps({"name": command["name"], "pid": pid, "status": status}), flush=True)
        if status:
            return 1
    return 0


def become(name: str, arguments: list[str], log: Path) -> None:
    """Run ``airflow ARGUMENTS`` in this process, with its output in ``log``; then exit."""
    with open_private(log, "ab") as output, Path(os.devnull).open("rb") as nothing:
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source.fileno(), target)
    if not IS_FORK_SAFE:
        os.execv(sys.executable, [sys.executable, "-m", "airflow", *arguments])
    from airflow.__main__ import main as airflow
    from setproctitle import setproctitle

    setproctitle(f"airflow {name}")
    sys.argv = ["airflow", *arguments]
    result: Any = airflow()
    sys.exit(result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""The health check of a container ends a service that does not answer. The services are real processes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from include.stack.container_health import main

# As tini in a container: it hands SIGTERM on to its child and ends with it.
SERVICE = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
child.stdout.readline()
print("ready", flush=True)
sys.exit(child.wait() and 3)
"""
ENDS = "import time; print('up', flush=True); time.sleep(60)"
HANGS = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + ENDS


@pytest.fixture(params=[ENDS])
def service(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen]:
    words = [sys.executable, "-c", SERVICE, request.param]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process
        for child in psutil.Process(process.pid).children() if process.poll() is None else []:
            child.kill()


def check(service: subprocess.Popen, folder: Path, command: str) -> int:
    return main(
        [
            "--failures=3",
            f"--pid={service.pid}",
            f"--count-in={folder / 'count'}",
            "--seconds=2",
            "--",
            *command.split(),
        ]
    )


def test_a_service_is_ended_after_failures_in_a_row_and_not_before(service, tmp_path):
    statuses = [check(service, tmp_path, command) for command in ("false", "false", "true", "false", "false")]

    assert statuses == [1, 1, 0, 1, 1]
    assert service.poll() is None
    assert check(service, tmp_path, "false") == 1
    assert service.wait(10) == 3


@pytest.mark.parametrize("service", [HANGS], indirect=True)
def test_a_service_that_ignores_it_is_killed_at_the_next_check(service, tmp_path):
    for _ in range(3):
        check(service, tmp_path, "false")
    with pytest.raises(subprocess.TimeoutExpired):
        service.wait(0.3)

    check(service, tmp_path, "false")

    assert service.wait(10) == 3


def test_failures_of_an_earlier_start_do_not_count(service, tmp_path):
    (tmp_path / "count").write_text("123.0 7")

    check(service, tmp_path, "false")

    assert service.poll() is None
    assert (tmp_path / "count").read_text().split()[1] == "1"
    service.send_signal(signal.SIGTERM)


def test_a_check_that_hangs_has_failed(service, tmp_path):
    assert main([
        "--failures=9", f"--pid={service.pid}", f"--count-in={tmp_path / 'count'}", "--seconds=0.1", "--",
        "sleep", "5",
    ]) == 1  # fmt: skip

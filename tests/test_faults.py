"""Fault points fire at the configured visit and do nothing otherwise."""

import errno
import os
import re
import signal
import time
from pathlib import Path

import pytest

from include import faults
from tests.things import ended, forked

PROJECT = Path(faults.__file__).parent.parent
CALLED = re.compile(r"\bpoint\(\s*f?\"([a-z_.{}]+)\"")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(faults, "_visits", {})


def test_without_a_request_nothing_happens(monkeypatch):
    monkeypatch.delenv(faults.VARIABLE, raising=False)

    for name in faults.POINTS:
        faults.point(name)


def test_the_nth_visit_fails_and_no_other(monkeypatch):
    monkeypatch.setenv(faults.VARIABLE, "handoff.after_part:2:raise")

    faults.point("handoff.after_part")
    faults.point("handoff.after_fetch")
    with pytest.raises(faults.InjectedFault, match=r"handoff\.after_part"):
        faults.point("handoff.after_part")
    faults.point("handoff.after_part")


def test_a_full_disk_is_the_real_error(monkeypatch):
    monkeypatch.setenv(faults.VARIABLE, "handoff.after_part:1:enospc")

    with pytest.raises(OSError, match="No space left") as caught:
        faults.point("handoff.after_part")
    assert caught.value.errno == errno.ENOSPC


def test_kill9_ends_the_process():
    status = ended(forked(lambda: faults.point("handoff.after_part"), fault="handoff.after_part:1:kill9"))

    assert status == -signal.SIGKILL


def test_slow_continues_afterwards(monkeypatch):
    monkeypatch.setattr(faults, "SLOW_SECONDS", 0.05)
    monkeypatch.setenv(faults.VARIABLE, "handoff.after_part:1:slow")
    began = time.monotonic()

    faults.point("handoff.after_part")

    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize(
    "setting", ["x", "nowhere:1:raise", "handoff.after_part:0:raise", "handoff.after_part:1:explode", "a:b:c"]
)
def test_an_invalid_request_is_refused(monkeypatch, setting):
    monkeypatch.setenv(faults.VARIABLE, setting)

    with pytest.raises(ValueError, match="NAME:N:ACTION"):
        faults.point("handoff.after_part")


def test_a_point_that_is_not_registered_is_refused(monkeypatch):
    monkeypatch.setenv(faults.VARIABLE, "handoff.after_part:1:raise")

    with pytest.raises(KeyError, match="no fault point"):
        faults.point("nowhere")


def test_every_point_in_the_code_is_registered_and_every_registered_point_is_in_the_code():
    text = "\n".join(path.read_text() for path in (PROJECT / "include").rglob("*.py"))
    used: set[str] = set()
    for name in CALLED.findall(text):
        used |= {name.replace("{when}", when) for when in ("before", "after")}

    assert used - set(faults.POINTS) == set()
    assert set(faults.POINTS) - used == set()


def test_sigterm_raises_so_that_a_step_ends():
    read, write = os.pipe()

    def step() -> None:
        try:
            faults.die_with_parent(os.getppid())
            os.write(write, b"ready")
            time.sleep(30)
        except faults.Stopped as stopped:
            os.write(write, b"stopped %d" % stopped.code)

    child = forked(step)
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as heard:
        assert heard.read(100) == b"ready"

        os.kill(child, signal.SIGTERM)

        assert heard.read(100) == b"stopped 143"
    assert ended(child) == 0


def test_a_child_whose_parent_is_gone_already_ends_at_once():
    status = ended(forked(lambda: faults.die_with_parent(os.getpid())))

    assert status == -signal.SIGKILL

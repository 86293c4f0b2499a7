"""Families of processes, and that nothing is left of them."""

import os
import subprocess
import sys
import time

import pytest

from include.processes import end_sessions, family, is_alive, started_at

NEVER_ENDS = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "


@pytest.fixture
def begin():
    """Starts Python programs, each in a session of its own; each says a word when it is ready."""
    children = []

    def begin(program):
        child = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        children.append(child)
        return child

    yield begin
    for child in children:
        for pid in family(child.pid):
            os.kill(pid, 9)
        child.wait()
        child.stdout.close()


def test_a_process_that_ended_and_was_not_reaped_is_not_alive(begin):
    child = begin("")

    child.stdout.read()
    while started_at(child.pid) and is_alive(child.pid):
        time.sleep(0.01)

    os.kill(child.pid, 0)  # the kernel still knows the pid
    assert not is_alive(child.pid)


def test_another_users_process_is_alive():
    assert is_alive(1)


def test_the_start_time_distinguishes_two_processes(begin):
    first = begin(NEVER_ENDS)
    time.sleep(0.05)
    second = begin(NEVER_ENDS)

    assert started_at(first.pid) != started_at(second.pid)


def test_a_family_holds_the_children_that_took_a_session_of_their_own(begin):
    parent = begin(
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {NEVER_ENDS!r}], start_new_session=True)\n"
        "print(child.pid, flush=True)\n" + NEVER_ENDS
    )

    child = int(parent.stdout.readline())

    assert set(family(parent.pid)) == {parent.pid, child}


def test_ending_a_polite_process_kills_nothing(begin):
    child = begin("print('ready', flush=True); " + NEVER_ENDS)
    child.stdout.readline()

    killed = end_sessions([child.pid], patience=5)

    assert killed == set()
    assert child.wait() == -15


def test_a_process_deaf_to_sigterm_is_killed_when_patience_ends(begin):
    child = begin(DEAF + NEVER_ENDS)
    child.stdout.readline()

    killed = end_sessions([child.pid], patience=0.2)

    assert killed == {child.pid}
    assert child.wait() == -9


def test_an_orphan_left_by_its_leader_is_ended_too(begin):
    leader = begin(
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {DEAF + NEVER_ENDS!r}])\n"
        "child.pid and print(child.pid, flush=True)\n" + NEVER_ENDS
    )
    orphan = int(leader.stdout.readline())
    leader.stdout.readline()

    end_sessions([leader.pid], patience=0.2)

    assert not is_alive(orphan)


def test_children_of_a_leader_that_was_killed_are_ended(begin):
    leader = begin(
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {NEVER_ENDS!r}])\n"
        "print(child.pid, flush=True)\n" + NEVER_ENDS
    )
    orphan = int(leader.stdout.readline())
    leader.kill()
    leader.wait()

    end_sessions([leader.pid], patience=0.2)

    assert not is_alive(orphan)

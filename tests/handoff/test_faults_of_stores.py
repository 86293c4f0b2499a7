"""Handoffs on both stores under faults: kills, pauses, lost replies, no space; a rerun equals a clean run."""

import json
import os
import resource
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.faults import VARIABLE, die_with_parent
from include.handoff import Handoff, HandoffError, StoreError, UnknownOutcome, parts
from include.processes import is_alive
from tests.proxy import LossyProxy
from tests.things import AS_OF, SLOT, batch, ended, forked, rows

OLD = timedelta(hours=30)
LATER = datetime.now(UTC) + timedelta(days=9)
FIRST = [("a", 1, 1), ("b", 1, 1)]
SECOND = [("a", 1, 2), ("b", 1, 2), ("c", 1, 2)]


@pytest.fixture
def open_handoff(handoff_root, tmp_path):
    """A handoff as each process opens it for itself."""
    return lambda: Handoff(handoff_root, scratch=tmp_path / "scratch")


@pytest.fixture
def two_parts(monkeypatch):
    """Parts of two rows, so that a few rows make several files."""
    monkeypatch.setattr(parts, "GROUP_ROWS", 2)
    monkeypatch.setattr(parts, "PART_ROWS", 2)


def stored(handoff: Handoff) -> list[str]:
    return [entry.path for entry in handoff._store.list()]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_writer_killed_at_any_call_leaves_the_old_table_or_the_new_and_a_rerun_heals(
    open_handoff, two_parts, when
):
    handoff, token, kills = open_handoff(), 1, 0
    clean = handoff.write(SLOT, [batch(*FIRST)], token=token, as_of=AS_OF)

    for call in range(1, 30):
        handoff.write(SLOT, [batch(*FIRST)], token=(token := token + 1), as_of=AS_OF)
        token += 1
        status = ended(
            forked(
                lambda token=token: open_handoff().write(SLOT, [batch(*SECOND)], token=token, as_of=AS_OF),
                fault=f"store.{when}_call:{call}:kill9",
            )
        )
        assert rows(handoff.read(SLOT)) in (FIRST, SECOND)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        again = handoff.write(SLOT, [batch(*SECOND)], token=(token := token + 1), as_of=AS_OF)
        assert rows(handoff.read(SLOT)) == SECOND
        assert [part.rows for part in again.parts] == [2, 1]

    assert kills == 5  # write part, write part, sync, get, put
    final = handoff.write(SLOT, [batch(*FIRST)], token=token + 1, as_of=AS_OF)
    assert final.sha256 == clean.sha256
    handoff.collect(older_than=OLD, now=LATER)
    attempts = {path.split("/")[-2] for path in stored(handoff) if "attempt=" in path}
    assert attempts == {final.attempt, final.previous}


def test_a_collector_killed_at_any_call_harms_nothing_and_the_next_one_finishes(open_handoff):
    handoff, kills = open_handoff(), 0
    handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    for call in range(1, 30):
        abandoned = forked(
            lambda call=call: open_handoff().write(SLOT, [batch(*SECOND)], token=1 + call, as_of=AS_OF),
            fault="handoff.before_commit:1:kill9",
        )
        assert ended(abandoned) == -signal.SIGKILL
        status = ended(
            forked(
                lambda: open_handoff().collect(older_than=OLD, now=LATER),
                fault=f"store.after_call:{call}:kill9",
            )
        )
        assert rows(handoff.read(SLOT)) == FIRST
        if status == 0:
            break
        kills += 1

    assert kills >= 4  # list, get, put the fence, delete
    handoff.collect(older_than=OLD, now=LATER)
    assert len([path for path in stored(handoff) if "attempt=" in path]) == 1


@pytest.mark.parametrize("point", ["handoff.after_part", "handoff.before_commit"])
def test_a_zombie_that_wakes_after_its_retry_has_committed_is_fenced(open_handoff, point):
    zombie = forked(
        lambda: open_handoff().write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF), fault=f"{point}:1:stop"
    )
    os.waitpid(zombie, os.WUNTRACED)  # it sleeps there
    handoff = open_handoff()
    newer = handoff.write(SLOT, [batch(*SECOND)], token=2, as_of=AS_OF)

    os.kill(zombie, signal.SIGCONT)

    assert ended(zombie) == 3  # Fenced
    assert handoff.manifest(SLOT) == newer
    assert rows(handoff.read(SLOT)) == SECOND


def test_a_zombie_whose_files_were_collected_cannot_commit_them(open_handoff):
    zombie = forked(
        lambda: open_handoff().write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF),
        fault="handoff.before_commit:1:stop",
    )
    os.waitpid(zombie, os.WUNTRACED)
    handoff = open_handoff()
    assert handoff.collect(older_than=OLD, now=LATER) == 1  # no newer writer exists, but it is too old

    os.kill(zombie, signal.SIGCONT)

    assert ended(zombie) == 3
    assert handoff.manifest(SLOT) is None
    handoff.write(SLOT, [batch(*SECOND)], token=2, as_of=AS_OF)
    assert rows(handoff.read(SLOT)) == SECOND


def test_a_slow_reader_gets_the_newer_version_when_its_own_was_collected(open_handoff, two_parts):
    handoff = open_handoff()
    handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)
    reader = open_handoff()
    fetch, is_first = reader._store.fetch, True

    def slow_fetch(path: str):
        nonlocal is_first
        if is_first:
            is_first = False
            handoff.write(SLOT, [batch(*FIRST)], token=2, as_of=AS_OF)
            handoff.write(SLOT, [batch(*SECOND)], token=3, as_of=AS_OF)
            assert handoff.collect(older_than=OLD, now=LATER) == 1
        return fetch(path)

    reader._store.fetch = slow_fetch

    assert rows(reader.read(SLOT)) == SECOND


def test_a_part_that_is_gone_for_good_is_named(open_handoff):
    handoff = open_handoff()
    manifest = handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    handoff._store.delete(f"{SLOT.path}/{manifest.parts[0].name}")

    with pytest.raises(HandoffError, match=r"part-00000.parquet of token 1 is gone; rerun the step"):
        handoff.fetch(SLOT)


def test_a_batch_that_fails_half_way_leaves_nothing(open_handoff, two_parts):
    def failing():
        yield batch(("a", 1, 1), ("a", 2, 1), ("a", 3, 1), ("a", 4, 1))
        raise RuntimeError("the source is gone")

    handoff = open_handoff()
    with pytest.raises(RuntimeError, match="the source is gone"):
        handoff.write(SLOT, failing(), token=1, as_of=AS_OF)

    assert stored(handoff) == []


def test_a_full_disk_is_reported_and_leaves_nothing(open_handoff, tmp_path):
    def write_past_the_limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))  # a part needs more
        with pytest.raises(StoreError, match="free space there and rerun the step"):
            open_handoff().write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    assert ended(forked(write_past_the_limit)) == 0

    handoff = open_handoff()
    assert stored(handoff) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    handoff.write(SLOT, [batch(*FIRST)], token=2, as_of=AS_OF)
    assert rows(handoff.read(SLOT)) == FIRST


def test_no_space_at_the_manifest_leaves_the_old_table(open_handoff, monkeypatch):
    handoff = open_handoff()
    handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    monkeypatch.setenv(VARIABLE, "handoff.before_commit:1:enospc")
    monkeypatch.setattr("include.faults._visits", {})
    with pytest.raises(OSError, match="No space left"):
        handoff.write(SLOT, [batch(*SECOND)], token=2, as_of=AS_OF)

    assert rows(handoff.read(SLOT)) == FIRST


@pytest.mark.parametrize("point", ["handoff.before_commit", "store.before_call"])
def test_a_step_dies_within_a_second_of_its_supervisor_and_commits_nothing(open_handoff, tmp_path, point):
    note = tmp_path / "child"

    def step() -> None:
        die_with_parent()
        note.write_text(json.dumps(os.getpid()))
        open_handoff().write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    def supervise() -> None:
        ended(forked(step, fault=f"{point}:1:hang"))

    supervisor = forked(supervise)
    child = wait_for(note)
    os.kill(supervisor, signal.SIGKILL)
    ended(supervisor)

    deadline = time.monotonic() + 1
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    is_orphan = is_alive(child)
    if is_orphan:
        os.kill(child, signal.SIGKILL)
    assert not is_orphan
    assert open_handoff().manifest(SLOT) is None


def wait_for(note: Path) -> int:
    """The pid in the note, once it is there."""
    for _ in range(1000):
        if note.exists() and (text := note.read_text()):
            return json.loads(text)
        time.sleep(0.01)
    raise AssertionError("the child did not start")


# A lost reply: on s3 alone, because a folder answers at once.


@pytest.fixture
def lossy(s3_server, tmp_path, monkeypatch):
    """A handoff behind a proxy that loses the replies that a test picks."""
    proxies = []

    def make(loses):
        proxies.append(LossyProxy(s3_server.port, loses))
        monkeypatch.setenv("AIRFLOW_CONN_LOSSY", s3_server.connection(port=proxies[-1].port))
        place = f"s3://lossy@{s3_server.bucket}/lossy-{time.monotonic_ns()}"
        return proxies[-1], Handoff(place, scratch=tmp_path)

    yield make
    for proxy in proxies:
        proxy.close()


def is_commit(line: str) -> bool:
    return line.startswith("PUT") and "_manifest.json" in line


def test_a_commit_whose_reply_was_lost_once_is_recognised_as_our_own(lossy):
    left = [True]
    proxy, handoff = lossy(lambda line: is_commit(line) and bool(left) and left.pop())

    manifest = handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    assert proxy.dropped == 1
    assert handoff.manifest(SLOT) == manifest
    assert rows(handoff.read(SLOT)) == FIRST


def test_a_commit_whose_replies_are_all_lost_is_recognised_as_our_own(lossy):
    proxy, handoff = lossy(is_commit)

    manifest = handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    assert proxy.dropped > 1
    assert rows(handoff.read(SLOT)) == FIRST
    assert handoff.manifest(SLOT) == manifest


def test_a_part_whose_reply_was_lost_is_sent_again(lossy):
    left = [True]
    proxy, handoff = lossy(
        lambda line: line.startswith("PUT") and "part-" in line and bool(left) and left.pop()
    )

    handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    assert proxy.dropped == 1
    assert rows(handoff.read(SLOT)) == FIRST


def test_an_outcome_that_cannot_be_learnt_is_unknown_and_nothing_is_cleaned_up(lossy, s3_server, monkeypatch):
    def lose_and_die(line: str) -> bool:
        if is_commit(line):
            proxy.is_dead = True
        return is_commit(line)

    proxy, handoff = lossy(lose_and_die)
    with pytest.raises(UnknownOutcome, match="did not say whether token 1 was committed"):
        handoff.write(SLOT, [batch(*FIRST)], token=1, as_of=AS_OF)

    monkeypatch.setenv("AIRFLOW_CONN_LOSSY", s3_server.connection())
    honest = Handoff(handoff.root, scratch=handoff._scratch)
    assert rows(honest.read(SLOT)) == FIRST  # it had been committed, and its files are there
    honest.write(SLOT, [batch(*SECOND)], token=2, as_of=AS_OF)
    assert rows(honest.read(SLOT)) == SECOND

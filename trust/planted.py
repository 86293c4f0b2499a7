"""Mutation test of the search: each planted bug removes one safeguard, and the search must find it.

A bug is planted in the real code, either by replacing a small function or by changing calls to the store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from include.handoff import protocol, store_calls
from include.handoff.manifest import HandoffError, Manifest, Part
from include.handoff.protocol import UnknownOutcome
from include.handoff.store_calls import Call, Get, Put, Sync
from trust import schedules
from trust.schedules import Actor, Tamper
from trust.world import ANY, MANIFEST, Violation, World

Bug = Callable[[], AbstractContextManager[Tamper | None]]


@contextmanager
def replaced(name: str, by: Callable[..., Any]) -> Iterator[None]:
    """Replace one of the protocol's functions."""
    with patch.object(protocol, name, by):
        yield


def no_token() -> AbstractContextManager[None]:
    """A writer does not compare its token."""
    return replaced("is_stale", lambda found, token: False)


@contextmanager
def late_etag() -> Iterator[Tamper]:
    """The token is compared on one read and the ETag taken from a later one."""

    def tamper(actor: Actor, call: Call, world: World) -> Call:
        if actor.kind == "writer" and isinstance(call, Put):
            found = world.files.get(MANIFEST)
            return call._replace(expected=found.etag if found else None)
        return call

    yield tamper


@contextmanager
def no_etag() -> Iterator[Tamper]:
    """A writer's commit is unconditional."""

    def tamper(actor: Actor, call: Call, world: World) -> Call:
        return call._replace(expected=ANY) if isinstance(call, Put) else call

    yield tamper


def no_age() -> AbstractContextManager[None]:
    """The collector deletes young attempts too."""
    return replaced("is_old", lambda modified, now, older_than: True)


def no_hash() -> AbstractContextManager[None]:
    """A reader does not verify what it fetched."""
    return replaced("verify", lambda path, part, stats: None)


def manifest_first() -> AbstractContextManager[None]:
    """The manifest is committed before its parts are written."""

    def write(slot: str, attempt: str, contents: Any, draft: Callable[[Sequence[Part]], Manifest]) -> Any:
        parts = [Part(f"{attempt}/{c.name}", 1, len(c.data), sha256(c.data).hexdigest()) for c in contents]
        committed = yield from protocol.commit(slot, draft(parts))
        for content in contents:
            yield store_calls.WritePart(f"{slot}/{attempt}/{content.name}", content)
        yield Sync(f"{slot}/{attempt}")
        return committed

    return replaced("write", write)


def no_own() -> AbstractContextManager[None]:
    """A writer does not recognise its own commit after a lost reply."""
    return replaced("is_own", lambda found, mine: False)


@contextmanager
def no_second_read() -> Iterator[Tamper]:
    """A reader fails when a part is missing, instead of reading the manifest again."""

    def tamper(actor: Actor, call: Call, world: World) -> Call:
        if actor.kind == "reader" and isinstance(call, Get) and actor.reads > 1:
            actor.steps.close()
            actor.steps = iter_failure("a part is gone")
            return store_calls.Pause(0)
        return call

    yield tamper


def iter_failure(text: str) -> Any:
    """Steps that end in an error."""
    yield store_calls.Pause(0)
    raise HandoffError(text)


@contextmanager
def no_fsync() -> Iterator[Tamper]:
    """Parts are not made durable before the manifest names them."""

    def tamper(actor: Actor, call: Call, world: World) -> Call:
        return store_calls.Pause(0) if isinstance(call, Sync) else call

    yield tamper


@contextmanager
def no_fence() -> Iterator[Tamper]:
    """The collector deletes an abandoned attempt without fencing it first."""

    def tamper(actor: Actor, call: Call, world: World) -> Call:
        return store_calls.Pause(0) if actor.kind == "collector" and isinstance(call, Put) else call

    yield tamper


def tidy_after_unknown() -> AbstractContextManager[None]:
    """A writer with an unknown outcome removes its files."""
    real = protocol.commit

    def commit(slot: str, mine: Manifest) -> Any:
        try:
            return (yield from real(slot, mine))
        except UnknownOutcome:
            yield from protocol.discard(slot, mine.parts)
            raise

    return replaced("commit", commit)


def no_previous() -> AbstractContextManager[None]:
    """The collector keeps the current version but deletes the previous one."""
    real = protocol.collect

    def collect(slot: str, **settings: Any) -> Any:
        steps, answer = real(slot, **settings), None
        with contextlib.closing(steps):
            while True:
                try:
                    call = steps.send(answer)
                except StopIteration as done:
                    return done.value
                answer = yield call
                if isinstance(call, Get) and answer is not None:
                    found = protocol.decode(answer.data, call.path)
                    answer = answer._replace(data=protocol.encode(protocol.replace(found, previous="")))

    return replaced("collect", collect)


BUGS: dict[str, Bug] = {
    "no token compare": no_token,
    "token compared on another read than the ETag's": late_etag,
    "no ETag condition": no_etag,
    "no age rule": no_age,
    "no hash check": no_hash,
    "manifest before parts": manifest_first,
    "own commit not recognised": no_own,
    "no second read": no_second_read,
    "no fsync": no_fsync,
    "no fence before deletion": no_fence,
    "clean-up after an unknown outcome": tidy_after_unknown,
    "previous version not kept": no_previous,
}


def caught(bug: str, seeds: range) -> tuple[int, str] | None:
    """The first seed that finds the planted bug, and the violation; None if the search misses it."""
    with BUGS[bug]() as tamper:
        for seed in seeds:
            try:
                schedules.run(seed, tamper=tamper)
            except Violation as violation:
                return seed, str(violation)
    return None

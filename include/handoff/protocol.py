"""How writers, readers and the collector share a slot: generators that yield store calls.

A store performs each call (``calls.py``) and sends back the answer, or throws ``Conflict``,
``Unknown`` or ``Gone``. Nothing here touches a disk or a network, so the search in ``trust/`` drives
the very code that production runs, through crashes, lost replies and any order of steps.

Why it is safe:

- a manifest is replaced only on condition that it is the one just read, and the writer's token is
  compared on that very read: a writer that was overtaken cannot commit;
- a ``Conflict`` may be our own write whose reply was lost, so the manifest is read again;
- after an ``Unknown`` outcome nothing is cleaned up: the write may still arrive;
- the collector raises the slot's fence above an abandoned attempt *before* it deletes its files, so
  however long its writer slept, it cannot commit a manifest of files that are gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from include.handoff.calls import (
    Blob,
    Conflict,
    Content,
    Delete,
    Entry,
    Fetch,
    Get,
    Gone,
    Land,
    Landed,
    List,
    Pause,
    Put,
    Steps,
    StoreError,
    Sync,
    Unknown,
)
from include.handoff.manifest import FILE, Corrupt, HandoffError, Manifest, Part, decode, encode, void

ROUNDS = 8  # commits are rare: eight lost races in a row mean something else is wrong


class Fenced(HandoffError):  # noqa: N818 - an outcome, named as the design names it
    """A newer writer has committed, or this attempt was given up: run the step again, with a new token."""


class UnknownOutcome(HandoffError):  # noqa: N818 - an outcome
    """The commit may or may not stand; nothing was cleaned up, and a rerun settles it."""


# The decisions, each small enough to be broken by name in the search.


def attempt_name(token: int, nonce: str) -> str:
    """The folder of one attempt's parts."""
    return f"attempt={token}-{nonce}"


def token_of(attempt: str) -> int:
    """The token in an attempt's name; 0 for a stray file."""
    found = re.match(r"attempt=(\d+)-", attempt)
    return int(found[1]) if found else 0


def is_overtaken(found: Manifest | None, token: int) -> bool:
    """Whether a writer with this token came too late."""
    return found is not None and (found.token > token or found.fence >= token)


def is_own(found: Manifest | None, mine: Manifest) -> bool:
    """Whether the manifest found is the one this writer, or its own earlier try, has committed."""
    return (
        found is not None
        and found.token == mine.token
        and found.sha256 == mine.sha256
        and found.fingerprint == mine.fingerprint
    )


def is_old(modified: datetime, now: datetime, older_than: timedelta) -> bool:
    """Whether nobody can be writing or reading a file of this age any more."""
    return now - modified > older_than


def verify(path: str, part: Part, landed: Landed) -> None:
    """Raise Corrupt unless a fetched part is what its manifest says."""
    if landed.bytes != part.bytes:
        raise Corrupt(
            f"{path}: {landed.bytes} bytes where its manifest says {part.bytes}; "
            "the file is damaged, rerun the step that writes it"
        )
    if landed.sha256 != part.sha256:
        raise Corrupt(
            f"{path}: sha256 {landed.sha256[:12]} where its manifest says {part.sha256[:12]}; "
            "the file is damaged, rerun the step that writes it"
        )


def write(
    slot: str,
    attempt: str,
    contents: Iterable[Content],
    draft: Callable[[Sequence[Part]], Manifest],
) -> Steps:
    """Land the parts, then commit their manifest. Returns the manifest that stands."""
    parts: list[Part] = []
    try:
        for content in contents:
            name = f"{attempt}/{content.name}"
            landed: Landed = yield Land(f"{slot}/{name}", content)
            parts.append(Part(name, landed.rows, landed.bytes, landed.sha256))
        if parts:
            yield Sync(f"{slot}/{attempt}")
    except Exception:
        # No manifest was sent, so nobody can ever need these files.
        yield from discard(slot, parts)
        raise
    return (yield from commit(slot, draft(parts)))


def discard(slot: str, parts: Sequence[Part]) -> Steps:
    """Remove what an attempt landed, as far as the store lets us: the collector takes the rest."""
    for part in parts:
        try:
            yield Delete(f"{slot}/{part.name}")
        except Exception:
            return


def commit(slot: str, mine: Manifest) -> Steps:
    """Make ``mine`` the slot's manifest unless a newer token stands; won, lost or unknown."""
    path = f"{slot}/{FILE}"
    is_ambiguous = False
    for turn in range(ROUNDS):
        if turn:
            yield Pause(turn)
        try:
            blob: Blob | None = yield Get(path)
        except StoreError as error:
            if is_ambiguous:
                raise UnknownOutcome(unsettled(slot, mine)) from error
            raise
        found = decode(blob.data, path) if blob else None
        if is_own(found, mine):
            return found
        if is_overtaken(found, mine.token):
            if not is_ambiguous:
                yield from discard(slot, mine.parts)
            raise Fenced(overtaken(slot, mine, found))
        if found and found.token == mine.token:
            raise HandoffError(f"{slot}: token {mine.token} was used for two different contents")
        put = Put(path, encode(replace(mine, previous=found.attempt if found else "")), blob and blob.etag)
        try:
            yield put
        except (Conflict, Unknown):
            # Someone else's commit, or our own: a client that retries by itself gets a Conflict for
            # the write whose reply it lost. Only reading again tells.
            is_ambiguous = True
            continue
        return decode(put.data, path)
    raise UnknownOutcome(unsettled(slot, mine))


def overtaken(slot: str, mine: Manifest, found: Manifest | None) -> str:
    """What to tell a writer that came too late."""
    floor = found.floor if found else 0
    return (
        f"{slot}: token {mine.token} is fenced, token {floor} stands; "
        "another run of this step is newer, nothing was changed"
    )


def unsettled(slot: str, mine: Manifest) -> str:
    """What to tell a writer that cannot learn whether it committed."""
    return (
        f"{slot}: the store did not say whether token {mine.token} was committed and cannot be asked; "
        "nothing was cleaned up, rerun the step"
    )


def current(slot: str) -> Steps:
    """The slot's manifest, or None when nothing is there."""
    path = f"{slot}/{FILE}"
    blob: Blob | None = yield Get(path)
    found = decode(blob.data, path) if blob else None
    return None if found is None or found.is_void else found


def read(slot: str) -> Steps:
    """The manifest and its parts, each verified; begins again, once, when a newer version came."""
    for is_last in (False, True):
        found: Manifest | None = yield from current(slot)
        if found is None:
            return None, []
        fetched = []
        try:
            for part in found.parts:
                landed: Landed = yield Fetch(f"{slot}/{part.name}")
                verify(f"{slot}/{part.name}", part, landed)
                fetched.append(landed)
        except Gone:
            if is_last:
                raise HandoffError(
                    f"{slot}: part {part.name} of token {found.token} is gone; rerun the step that writes it"
                ) from None
            continue
        return found, fetched
    raise AssertionError("unreachable")


def collect(slot: str, *, older_than: timedelta, now: datetime) -> Steps:
    """Delete attempts nobody can need: not current, not previous, old. Returns how many files."""
    attempts: dict[str, list[Entry]] = {}
    listing: Sequence[Entry] = yield List(slot)
    for entry in listing:
        name = entry.path.removeprefix(f"{slot}/").partition("/")[0]
        if token_of(name) or name.startswith(".tmp-"):
            attempts.setdefault(name, []).append(entry)
    path = f"{slot}/{FILE}"
    blob: Blob | None = yield Get(path)
    found = decode(blob.data, path) if blob else void(slot)
    doomed = {
        name: entries
        for name, entries in attempts.items()
        if name not in (found.attempt, found.previous)
        and is_old(max(entry.modified for entry in entries), now, older_than)
    }
    highest = max((token_of(name) for name in doomed), default=0)
    if highest > found.floor:
        try:
            yield Put(path, encode(found.fenced(highest)), blob and blob.etag)
        except (Conflict, Unknown):
            return 0  # somebody is at work here; there will be another night
    for entries in doomed.values():
        for entry in entries:
            yield Delete(entry.path)
    return sum(map(len, doomed.values()))


def forget(slot: str) -> Steps:
    """Remove a slot's data for good; a writer still at work on it is fenced. Returns how many files."""
    path = f"{slot}/{FILE}"
    for turn in range(ROUNDS):
        if turn:
            yield Pause(turn)
        listing: Sequence[Entry] = yield List(slot)
        blob: Blob | None = yield Get(path)
        names = {entry.path.removeprefix(f"{slot}/").partition("/")[0]: entry for entry in listing}
        doomed = [e for e in listing if token_of(e.path.removeprefix(f"{slot}/"))]
        if blob is None and not doomed:
            return 0
        floor = decode(blob.data, path).floor if blob else 0
        fence = void(slot).fenced(max(floor, *map(token_of, names), 0))
        try:
            yield Put(path, encode(fence), blob and blob.etag)
        except (Conflict, Unknown):
            continue
        for entry in doomed:
            yield Delete(entry.path)
        return len(doomed)
    raise UnknownOutcome(f"{slot}: could not be forgotten, others keep writing to it; try again")


def draw(counter: str) -> Steps:
    """The next token of a counter kept in the store itself; never the same twice."""
    for turn in range(ROUNDS * 8):
        if turn:
            yield Pause(min(turn, ROUNDS))
        blob: Blob | None = yield Get(counter)
        token = int(blob.data) + 1 if blob else 1
        try:
            yield Put(counter, str(token).encode(), blob and blob.etag)
        except (Conflict, Unknown):
            continue  # ours or another's: a number skipped costs nothing, one used twice would
        return token
    raise StoreError(f"{counter}: no token could be drawn")

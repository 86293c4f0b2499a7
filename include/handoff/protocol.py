"""The protocol by which writers, readers and the collector share a slot: generators that yield store calls.

A store performs each call (``store_calls.py``) and sends the answer back, or throws ``Conflict``,
``Unknown`` or ``Gone``. No code here uses a disk or a network, so the search in ``trust/`` runs the
production code through crashes, lost replies and any order of steps.

Why it is safe:

- a manifest is replaced only if it is unchanged since it was read, and the writer's token is compared
  with that same read: a writer with an older token cannot commit;
- a ``Conflict`` may come from the writer's own write whose reply was lost, so the manifest is read again;
- after an ``Unknown`` outcome no file is removed: the write may still arrive;
- the collector raises the slot's fence above an abandoned attempt *before* it deletes its files, so
  its writer, even after a long pause, cannot commit a manifest of deleted files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from include.handoff.manifest import (
    FILE,
    Corrupt,
    HandoffError,
    Manifest,
    Part,
    decode,
    empty_manifest,
    encode,
)
from include.handoff.store_calls import (
    Blob,
    Conflict,
    Content,
    Delete,
    Entry,
    Fetch,
    Get,
    Gone,
    List,
    PartStats,
    Pause,
    Put,
    Steps,
    StoreError,
    Sync,
    Unknown,
    WritePart,
)

ROUNDS = 8  # commits are rare: eight lost races in a row mean something else is wrong


class Fenced(HandoffError):  # noqa: N818 - an outcome, named as the design names it
    """A newer writer has committed, or this attempt was abandoned: run the step again, with a new token."""


class UnknownOutcome(HandoffError):  # noqa: N818 - an outcome
    """Whether the commit happened is unknown; no file was removed, and a rerun is safe."""


# Each decision is a small function, so that a planted bug of the search can replace it.


def attempt_name(token: int, nonce: str) -> str:
    """The folder of one attempt's parts."""
    return f"attempt={token}-{nonce}"


def token_of(attempt: str) -> int:
    """The token in an attempt's name; 0 for a stray file."""
    found = re.match(r"attempt=(\d+)-", attempt)
    return int(found[1]) if found else 0


def is_stale(found: Manifest | None, token: int) -> bool:
    """Whether a newer token has committed, or this token is fenced."""
    return found is not None and (found.token > token or found.fence >= token)


def is_own(found: Manifest | None, mine: Manifest) -> bool:
    """Whether this writer, or an earlier try of it, has committed the manifest found."""
    return (
        found is not None
        and found.token == mine.token
        and found.sha256 == mine.sha256
        and found.fingerprint == mine.fingerprint
    )


def is_old(modified: datetime, now: datetime, older_than: timedelta) -> bool:
    """Whether a file is too old to be still written or read by a step."""
    return now - modified > older_than


def verify(path: str, part: Part, stats: PartStats) -> None:
    """Raise Corrupt unless a fetched part has the size and hash in its manifest."""
    if stats.bytes != part.bytes:
        raise Corrupt(
            f"{path}: {stats.bytes} bytes where its manifest says {part.bytes}; "
            "the file is damaged, rerun the step that writes it"
        )
    if stats.sha256 != part.sha256:
        raise Corrupt(
            f"{path}: sha256 {stats.sha256[:12]} where its manifest says {part.sha256[:12]}; "
            "the file is damaged, rerun the step that writes it"
        )


def write(
    slot: str,
    attempt: str,
    contents: Iterable[Content],
    draft: Callable[[Sequence[Part]], Manifest],
) -> Steps:
    """Write the parts, then commit their manifest. Returns the committed manifest."""
    parts: list[Part] = []
    try:
        for content in contents:
            name = f"{attempt}/{content.name}"
            stats: PartStats = yield WritePart(f"{slot}/{name}", content)
            parts.append(Part(name, stats.rows, stats.bytes, stats.sha256))
        if parts:
            yield Sync(f"{slot}/{attempt}")
    except Exception:
        # No manifest was sent, so no reader can need these files.
        yield from discard(slot, parts)
        raise
    return (yield from commit(slot, draft(parts)))


def discard(slot: str, parts: Sequence[Part]) -> Steps:
    """Remove the parts of an attempt; if the store fails, the collector removes the rest."""
    for part in parts:
        try:
            yield Delete(f"{slot}/{part.name}")
        except Exception:
            return


def commit(slot: str, mine: Manifest) -> Steps:
    """Make ``mine`` the slot's manifest; Fenced if a newer token has committed, or UnknownOutcome."""
    path = f"{slot}/{FILE}"
    is_ambiguous = False
    for turn in range(ROUNDS):
        if turn:
            yield Pause(turn)
        try:
            blob: Blob | None = yield Get(path)
        except StoreError as error:
            if is_ambiguous:
                raise UnknownOutcome(unknown_message(slot, mine)) from error
            raise
        found = decode(blob.data, path) if blob else None
        if is_own(found, mine):
            return found
        if is_stale(found, mine.token):
            if not is_ambiguous:
                yield from discard(slot, mine.parts)
            raise Fenced(stale_message(slot, mine, found))
        if found and found.token == mine.token:
            raise HandoffError(f"{slot}: token {mine.token} was used for two different contents")
        put = Put(path, encode(replace(mine, previous=found.attempt if found else "")), blob and blob.etag)
        try:
            yield put
        except (Conflict, Unknown):
            # Another writer's commit, or our own: a client that retries by itself gets a Conflict for a
            # write whose reply was lost. Only another read can tell.
            is_ambiguous = True
            continue
        return decode(put.data, path)
    raise UnknownOutcome(unknown_message(slot, mine))


def stale_message(slot: str, mine: Manifest, found: Manifest | None) -> str:
    """The error message for a writer with an older token."""
    min_token = found.min_token if found else 0
    return (
        f"{slot}: token {mine.token} is fenced, token {min_token} is current; "
        "another run of this step is newer, nothing was changed"
    )


def unknown_message(slot: str, mine: Manifest) -> str:
    """The error message for a writer that cannot find out whether it has committed."""
    return (
        f"{slot}: the store did not say whether token {mine.token} was committed and cannot be asked; "
        "no file was removed, rerun the step"
    )


def current(slot: str) -> Steps:
    """The slot's manifest, or None if it has no data."""
    path = f"{slot}/{FILE}"
    blob: Blob | None = yield Get(path)
    found = decode(blob.data, path) if blob else None
    return None if found is None or found.is_empty else found


def read(slot: str) -> Steps:
    """The manifest and its parts, each verified; restarts once if a newer version has removed a part."""
    for is_last in (False, True):
        found: Manifest | None = yield from current(slot)
        if found is None:
            return None, []
        fetched = []
        try:
            for part in found.parts:
                stats: PartStats = yield Fetch(f"{slot}/{part.name}")
                verify(f"{slot}/{part.name}", part, stats)
                fetched.append(stats)
        except Gone:
            if is_last:
                raise HandoffError(
                    f"{slot}: part {part.name} of token {found.token} is gone; rerun the step that writes it"
                ) from None
            continue
        return found, fetched
    raise AssertionError("unreachable")


def collect(slot: str, *, older_than: timedelta, now: datetime) -> Steps:
    """Delete old attempts except the current and the previous one. Returns how many files."""
    attempts: dict[str, list[Entry]] = {}
    listing: Sequence[Entry] = yield List(slot)
    for entry in listing:
        name = entry.path.removeprefix(f"{slot}/").partition("/")[0]
        if token_of(name) or name.startswith(".tmp-"):
            attempts.setdefault(name, []).append(entry)
    path = f"{slot}/{FILE}"
    blob: Blob | None = yield Get(path)
    found = decode(blob.data, path) if blob else empty_manifest(slot)
    removable = {
        name: entries
        for name, entries in attempts.items()
        if name not in (found.attempt, found.previous)
        and is_old(max(entry.modified for entry in entries), now, older_than)
    }
    highest = max((token_of(name) for name in removable), default=0)
    if highest > found.min_token:
        try:
            yield Put(path, encode(found.fenced(highest)), blob and blob.etag)
        except (Conflict, Unknown):
            return 0  # another writer is active; retry at the next run
    for entries in removable.values():
        for entry in entries:
            yield Delete(entry.path)
    return sum(map(len, removable.values()))


def forget(slot: str) -> Steps:
    """Remove a slot's data for good and fence its active writers. Returns how many files."""
    path = f"{slot}/{FILE}"
    for turn in range(ROUNDS):
        if turn:
            yield Pause(turn)
        listing: Sequence[Entry] = yield List(slot)
        blob: Blob | None = yield Get(path)
        names = {entry.path.removeprefix(f"{slot}/").partition("/")[0]: entry for entry in listing}
        removable = [e for e in listing if token_of(e.path.removeprefix(f"{slot}/"))]
        if blob is None and not removable:
            return 0
        min_token = decode(blob.data, path).min_token if blob else 0
        fence = empty_manifest(slot).fenced(max(min_token, *map(token_of, names), 0))
        try:
            yield Put(path, encode(fence), blob and blob.etag)
        except (Conflict, Unknown):
            continue
        for entry in removable:
            yield Delete(entry.path)
        return len(removable)
    raise UnknownOutcome(f"{slot}: could not be emptied, other writers keep writing to it; try again")


def draw(counter: str) -> Steps:
    """The next token of a counter in the store; never the same twice."""
    for turn in range(ROUNDS * 8):
        if turn:
            yield Pause(min(turn, ROUNDS))
        blob: Blob | None = yield Get(counter)
        token = int(blob.data) + 1 if blob else 1
        try:
            yield Put(counter, str(token).encode(), blob and blob.etag)
        except (Conflict, Unknown):
            continue  # ours or another's: skipping a number is harmless, using one twice is not
        return token
    raise StoreError(f"{counter}: no token could be drawn")

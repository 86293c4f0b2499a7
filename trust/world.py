"""An in-memory store with a clock, whose faults are chosen by the schedule; it checks the invariants.

The real protocol runs against it call by call. Each call is checked against the invariants: no commit by a
fenced writer, no manifest with parts that are missing, incomplete or not durable, no deletion of files that
the current or previous version needs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from include.handoff.manifest import FILE, Manifest, decode
from include.handoff.store_calls import (
    Blob,
    Call,
    Conflict,
    Delete,
    Entry,
    Fetch,
    Get,
    Gone,
    List,
    PartStats,
    Pause,
    Put,
    Sync,
    WritePart,
)

SLOT = "acme/rfm/as_of=2026-11-21"
MANIFEST = f"{SLOT}/{FILE}"
START = datetime(2026, 11, 21, tzinfo=UTC)
OLDER_THAN = timedelta(hours=48)
ANY = "*"  # an unconditional write, which only a planted bug sends


class Violation(AssertionError):  # noqa: N818 - the search's word
    """An invariant was broken."""


@dataclass
class Stored:
    """One file."""

    data: bytes
    etag: str
    modified: datetime
    is_durable: bool = False


@dataclass
class World:
    """All files of one partition, and its history."""

    now: datetime = START
    step: int = 0
    files: dict[str, Stored] = field(default_factory=dict)
    in_flight: list[Put] = field(default_factory=list)
    commits: list[tuple[int, Manifest]] = field(default_factory=list)
    truth: dict[str, bytes] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    current: Manifest | None = None

    def perform(self, call: Call) -> Any:
        """Perform a call at once, without a fault."""
        if isinstance(call, Get):
            found = self.files.get(call.path)
            return Blob(found.data, found.etag) if found else None
        if isinstance(call, Put):
            return self.put(call)
        if isinstance(call, WritePart):
            return self.write_part(call)
        if isinstance(call, Sync):
            for path, stored in self.files.items():
                if path.startswith(call.folder):
                    stored.is_durable = True
            return None
        if isinstance(call, Fetch):
            if call.path not in self.files:
                raise Gone(call.path)
            data = self.files[call.path].data
            return PartStats(0, len(data), hashlib.sha256(data).hexdigest(), data)
        if isinstance(call, List):
            return [Entry(path, stored.modified) for path, stored in self.files.items()]
        if isinstance(call, Delete):
            return self.delete(call.path)
        if isinstance(call, Pause):
            return None
        raise TypeError(call)

    def put(self, call: Put) -> str:
        """Perform a conditional write, as a correct store does."""
        found = self.files.get(call.path)
        if call.expected != ANY and (found and found.etag) != call.expected:
            raise Conflict(call.path)
        etag = hashlib.sha256(call.data).hexdigest()
        self.files[call.path] = Stored(call.data, etag, self.now, is_durable=True)
        if call.path == MANIFEST:
            self._watch_commit(decode(call.data, call.path))
        return etag

    def write_part(self, call: WritePart) -> PartStats:
        """Write a part; it is not durable yet."""
        if call.path in self.files:
            raise Violation(f"{call.path} was written twice")
        writer = BytesIO()
        rows = call.content.write_to(writer)
        data = writer.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        self.files[call.path] = Stored(data, digest, self.now)
        self.truth[call.path] = data
        return PartStats(rows, len(data), digest)

    def delete(self, path: str) -> None:
        """Remove a file; Violation when a version or a reader needs it."""
        current = self.current
        attempt = path.removeprefix(f"{SLOT}/").partition("/")[0]
        if current and attempt in (current.attempt, current.previous):
            raise Violation(f"{attempt} was deleted, which token {current.token} or a reader of it needs")
        self.files.pop(path, None)

    def arrive(self, number: int) -> None:
        """Perform a delayed write, whose sender has already timed out."""
        call = self.in_flight.pop(number)
        try:
            self.put(call)
        except Conflict:
            return

    def damage(self, path: str) -> None:
        """Flip a bit of a stored part."""
        stored = self.files[path]
        stored.data = bytes([stored.data[0] ^ 1]) + stored.data[1:]
        self.damaged.add(path)

    def lose_power(self) -> None:
        """Truncate all data that is not durable, and drop calls in flight."""
        self.in_flight.clear()
        for path, stored in self.files.items():
            if not stored.is_durable:
                stored.data = stored.data[: len(stored.data) // 2]
                self.damaged.discard(path)
        if self.current:
            self._watch_parts(self.current)

    def highest_token(self) -> int:
        """The highest token ever committed."""
        return max((manifest.token for _, manifest in self.commits), default=0)

    def _watch_commit(self, new: Manifest) -> None:
        old = self.current
        if old and new.min_token < old.min_token:
            raise Violation(f"the minimum token fell from {old.min_token} to {new.min_token}")
        if new.attempt != (old.attempt if old else ""):
            if new.token <= self.highest_token():
                raise Violation(f"token {new.token} was committed after {self.highest_token()}")
            if old and new.token <= old.fence:
                raise Violation(f"token {new.token} was committed though fenced at {old.fence}")
            self.commits.append((self.step, new))
        self._watch_parts(new)
        self.current = new

    def _watch_parts(self, manifest: Manifest) -> None:
        for part in manifest.parts:
            path = f"{SLOT}/{part.name}"
            stored = self.files.get(path)
            if stored is None:
                raise Violation(f"token {manifest.token} is current, but {part.name} is missing")
            if path not in self.damaged and stored.data != self.truth[path]:
                raise Violation(f"token {manifest.token} is current, but {part.name} is incomplete")

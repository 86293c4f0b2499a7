"""The calls that the protocol makes to a store, and the answers of a store."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from include import faults
from include.handoff.manifest import HandoffError


class StoreError(HandoffError):
    """The store cannot be used: unreachable, refused, full."""


class Conflict(Exception):  # noqa: N818 - an answer, not an error
    """The file has changed since it was read."""


class Unknown(Exception):  # noqa: N818 - an answer, not an error
    """The write was sent without an answer: it may have been carried out, or may still be."""


class Gone(Exception):  # noqa: N818 - an answer, not an error
    """The file does not exist."""


class Content(Protocol):
    """The contents of a part file; ``write_to`` writes them and counts the rows."""

    @property
    def name(self) -> str:
        """The file's name within its attempt."""

    def write_to(self, writer: Any) -> int:
        """Write everything to ``writer`` and return the number of rows."""


class PartStats(NamedTuple):
    """Rows, bytes and hash of a part, measured while it was written or fetched."""

    rows: int
    bytes: int
    sha256: str
    file: Any = None


class Blob(NamedTuple):
    """A small file and the tag that a conditional write compares."""

    data: bytes
    etag: str


class Entry(NamedTuple):
    """A file in a listing."""

    path: str
    modified: datetime


class Get(NamedTuple):
    """Read a small file: ``Blob`` or None."""

    path: str


class Put(NamedTuple):
    """Replace a small file if its tag is ``expected`` (None: if it is absent)."""

    path: str
    data: bytes
    expected: str | None


class WritePart(NamedTuple):
    """Write a part file under a path that no other writer uses."""

    path: str
    content: Content


class Sync(NamedTuple):
    """Make everything under an attempt's folder durable."""

    folder: str


class Fetch(NamedTuple):
    """Make a part available as a local file and measure it."""

    path: str


class List(NamedTuple):
    """List all files below a folder: for the collector, erasure, and the check of the ledger of slices."""

    folder: str


class Delete(NamedTuple):
    """Remove a file; no error if it does not exist."""

    path: str


class Pause(NamedTuple):
    """Wait a little before the next round."""

    round: int


class Store(Protocol):
    """Storage of handoffs. Paths are relative to its root; a path that could leave it is refused."""

    def get(self, path: str) -> Blob | None:
        """A small file's bytes and tag, or None."""

    def put(self, path: str, data: bytes, expected: str | None) -> str:
        """Replace a small file if its tag is ``expected`` (None: absent), all or nothing; the new tag."""
        ...

    def write_part(self, path: str, content: Content) -> PartStats:
        """Write a part file and hash what is written; on failure no file is left."""
        ...

    def sync(self, folder: str) -> None:
        """Make the parts below ``folder`` durable: they survive a power cut."""

    def fetch(self, path: str) -> PartStats:
        """A local file with the part's bytes, and their hash."""
        ...

    def release(self, fetched: PartStats) -> None:
        """Free the local file of a fetched part."""

    def list(self, folder: str = "") -> Sequence[Entry]:
        """Every file below a folder."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; no error if it does not exist."""

    def pause(self, turn: int) -> None:
        """Wait a moment, longer each round."""


Call = Get | Put | WritePart | Sync | Fetch | List | Delete | Pause
Steps = Generator[Call, Any, Any]
METHODS: dict[type, str] = {
    Get: "get",
    Put: "put",
    WritePart: "write_part",
    Sync: "sync",
    Fetch: "fetch",
    List: "list",
    Delete: "delete",
    Pause: "pause",
}


def perform(steps: Steps, store: Store) -> Any:
    """Run ``steps`` against a real store; each call passes its fault points."""
    answer: Any = None
    failure: Exception | None = None
    while True:
        try:
            call = steps.throw(failure) if failure else steps.send(answer)
        except StopIteration as done:
            return done.value
        answer, failure = None, None
        try:
            _pass(call, "before")
            answer = getattr(store, METHODS[type(call)])(*call)
            _pass(call, "after")
        except Exception as error:
            failure = error


def _pass(call: Call, when: str) -> None:
    faults.point(f"store.{when}_call")
    if isinstance(call, Put):
        faults.point(f"handoff.{when}_commit")
    elif isinstance(call, WritePart) and when == "after":
        faults.point("handoff.after_part")
    elif isinstance(call, Fetch) and when == "after":
        faults.point("handoff.after_fetch")
    elif isinstance(call, Delete) and when == "before":
        faults.point("handoff.before_delete")

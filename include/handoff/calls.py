"""What the protocol may ask of a store, one call at a time, and what a store may answer."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from include import faults
from include.handoff.manifest import HandoffError


class StoreError(HandoffError):
    """The store cannot be used: unreachable, refused, full."""


class Conflict(Exception):  # noqa: N818 - an answer, not an error
    """The file is not the one that was read."""


class Unknown(Exception):  # noqa: N818 - an answer, not an error
    """The write was sent and no answer came: it may have happened, or may yet."""


class Gone(Exception):  # noqa: N818 - an answer, not an error
    """The file is not there."""


class Content(Protocol):
    """What a part file is to hold; ``pour`` writes it and counts its rows."""

    @property
    def name(self) -> str:
        """The file's name within its attempt."""

    def pour(self, sink: Any) -> int:
        """Write everything to ``sink`` and return the number of rows."""


class Landed(NamedTuple):
    """What was measured while a part was written or fetched."""

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


class Land(NamedTuple):
    """Write a part file under a path nobody else uses."""

    path: str
    content: Content


class Sync(NamedTuple):
    """Make everything under an attempt's folder durable."""

    folder: str


class Fetch(NamedTuple):
    """Bring a part within reach and measure it."""

    path: str


class List(NamedTuple):
    """Everything below a folder: for the collector, erasing, and the check of the ledger of slices."""

    folder: str


class Delete(NamedTuple):
    """Remove a file; no error when it is gone."""

    path: str


class Pause(NamedTuple):
    """Wait a little before the next round."""

    round: int


class Store(Protocol):
    """Where handoffs are kept. Paths are relative to its root; a path that could leave it is refused."""

    def get(self, path: str) -> Blob | None:
        """A small file's bytes and tag, or None."""

    def put(self, path: str, data: bytes, expected: str | None) -> str:
        """Replace a small file if its tag is ``expected`` (None: absent), all or nothing; the new tag."""
        ...

    def land(self, path: str, content: Content) -> Landed:
        """Write a part file and hash what is written; on failure no file stays."""
        ...

    def sync(self, folder: str) -> None:
        """Make what was landed there durable: it outlives a power cut."""

    def fetch(self, path: str) -> Landed:
        """A local file of those bytes, and their hash."""
        ...

    def release(self, landed: Landed) -> None:
        """The local file is not needed any longer."""

    def list(self, folder: str = "") -> Sequence[Entry]:
        """Every file below a folder."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; no error when it is gone."""

    def pause(self, turn: int) -> None:
        """Wait a moment, longer each round."""


Call = Get | Put | Land | Sync | Fetch | List | Delete | Pause
Steps = Generator[Call, Any, Any]


def perform(steps: Steps, store: Store) -> Any:
    """Drive ``steps`` against a real store, passing the fault points on the way."""
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
            answer = getattr(store, type(call).__name__.lower())(*call)
            _pass(call, "after")
        except Exception as error:
            failure = error


def _pass(call: Call, when: str) -> None:
    faults.point(f"store.{when}_call")
    if isinstance(call, Put):
        faults.point(f"handoff.{when}_commit")
    elif isinstance(call, Land) and when == "after":
        faults.point("handoff.after_part")
    elif isinstance(call, Fetch) and when == "after":
        faults.point("handoff.after_fetch")
    elif isinstance(call, Delete) and when == "before":
        faults.point("handoff.before_delete")

"""A handoff's file on this machine: its name, its bytes and hash, and what to say when it is refused."""

from __future__ import annotations

import errno
import hashlib
import random
import re
import time
from pathlib import Path
from typing import Any, BinaryIO

from include.handoff.calls import Content, Landed, StoreError
from include.private_files import open_private

CHUNK_BYTES = 1 << 20
PAUSE_SECONDS = 0.05
SEGMENT = re.compile(r"[A-Za-z0-9_=.\-]{1,200}")


class Sink:
    """A file that measures what is written to it, and that can be abandoned.

    A parquet writer that is dropped after an exception still tries to write its footer; an
    abandoned sink swallows that, so that half a table never becomes a valid file.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Measure what goes to ``file``."""
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.is_abandoned = False
        self.closed = False

    def write(self, data: Any) -> int:
        """Write all of ``data``."""
        view = memoryview(data).cast("B")
        if not self.is_abandoned:
            self._hash.update(view)
            self._file.write(view)
            self.bytes += len(view)
        return len(view)

    def tell(self) -> int:
        """How many bytes were written."""
        return self.bytes

    def flush(self) -> None:
        """Nothing to do: the store flushes once, at the end."""

    def close(self) -> None:
        """Nothing to do: the store closes the file."""

    @property
    def sha256(self) -> str:
        """The hash of what was written."""
        return self._hash.hexdigest()


def pour(content: Content, path: Path) -> Landed:
    """Write ``content`` to a new file and measure it; nothing stays when it fails."""
    with open_private(path, "xb") as file:
        sink = Sink(file)
        try:
            rows = content.pour(sink)
            file.flush()
        except BaseException:
            sink.is_abandoned = True
            path.unlink(missing_ok=True)
            raise
    return Landed(rows, sink.bytes, sink.sha256, path)


def checked(path: str) -> str:
    """The path, when each of its segments is a plain name; StoreError otherwise."""
    for segment in path.split("/"):
        if not SEGMENT.fullmatch(segment) or segment in (".", ".."):
            raise StoreError(f"{path!r}: {segment!r} is no name for a file of a handoff")
    return path


def pause(turn: int) -> None:
    """Wait a moment, longer each round, never in step with another process."""
    time.sleep(PAUSE_SECONDS * 2 ** min(turn, 6) * random.random())


def failed(verb: str, path: Path, error: OSError) -> StoreError:
    """What to tell of a file system's refusal."""
    return StoreError(f"cannot {verb} {path}: {error.strerror or error}{_advice(error)}")


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "; free space there and rerun the step, nothing of it was kept"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "; this user must be able to write there"
    return ""

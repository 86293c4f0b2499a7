"""Local files of handoffs: check names, write and hash, and format errors of the file system."""

from __future__ import annotations

import errno
import hashlib
import random
import re
import time
from pathlib import Path
from typing import Any, BinaryIO

from include.handoff.store_calls import Content, PartStats, StoreError
from include.private_files import open_private

CHUNK_BYTES = 1 << 20
PAUSE_SECONDS = 0.05
SEGMENT = re.compile(r"[A-Za-z0-9_=.\-]{1,200}")


class HashingWriter:
    """A file that counts and hashes the bytes written to it, and that can be abandoned.

    A parquet writer that is dropped after an exception still tries to write its footer. An abandoned
    HashingWriter discards it, so half a table never becomes a valid file.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Count and hash the bytes that go to ``file``."""
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
        """The number of bytes written."""
        return self.bytes

    def flush(self) -> None:
        """Do nothing: the store flushes once, at the end."""

    def close(self) -> None:
        """Do nothing: the store closes the file."""

    @property
    def sha256(self) -> str:
        """The hash of the bytes written."""
        return self._hash.hexdigest()


def write_new_file(content: Content, path: Path) -> PartStats:
    """Write ``content`` to a new file and measure it; on failure no file is left."""
    with open_private(path, "xb") as file:
        writer = HashingWriter(file)
        try:
            rows = content.write_to(writer)
            file.flush()
        except BaseException:
            writer.is_abandoned = True
            path.unlink(missing_ok=True)
            raise
    return PartStats(rows, writer.bytes, writer.sha256, path)


def checked(path: str) -> str:
    """The path if each of its segments is a plain name, else StoreError."""
    for segment in path.split("/"):
        if not SEGMENT.fullmatch(segment) or segment in (".", ".."):
            raise StoreError(f"{path!r}: {segment!r} is no name for a file of a handoff")
    return path


def pause(turn: int) -> None:
    """Wait a moment, longer each round, for a random time so that processes do not retry together."""
    time.sleep(PAUSE_SECONDS * 2 ** min(turn, 6) * random.random())


def failed(verb: str, path: Path, error: OSError) -> StoreError:
    """The StoreError for an error of the file system."""
    return StoreError(f"cannot {verb} {path}: {error.strerror or error}{_advice(error)}")


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "; free space there and rerun the step, no file of it was left"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "; this user must be able to write there"
    return ""

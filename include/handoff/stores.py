"""Where handoffs are kept: a folder (``file://``) or a bucket (``s3://``), behind the same nine calls.

| call | promise |
| --- | --- |
| ``get(path)`` | a small file's bytes and tag, or None |
| ``put(path, data, expected)`` | replaces it only if its tag is ``expected`` (None: absent), all or nothing |
| ``land(path, content)`` | writes a part file, hashing what it writes; on failure nothing stays |
| ``sync(folder)`` | what was landed there outlives a power cut |
| ``fetch(path)`` | a local file of those bytes, and their hash |
| ``release(landed)`` | the local file is needed no more |
| ``list(folder)``, ``delete(path)`` | for the collector |
| ``pause(round)`` | waits a moment, longer each round |

Paths are relative to the root and made of our own names; anything that could leave it is refused.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import random
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from include.handoff.calls import Blob, Conflict, Content, Entry, Gone, Landed, StoreError, Unknown

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
    with path.open("xb") as file:
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


class FileStore:
    """Handoffs in a folder of a local or network file system."""

    def __init__(self, root: Path) -> None:
        """Keep handoffs under ``root``; the folder is made when first written to."""
        self.root = root

    def get(self, path: str) -> Blob | None:
        """A small file's bytes and their hash, or None."""
        try:
            data = self._at(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", path, error) from error
        return Blob(data, hashlib.sha256(data).hexdigest())

    def put(self, path: str, data: bytes, expected: str | None) -> str:
        """Replace the file under a lock, if it is still the one that was read."""
        target = self._at(path)
        temporary = target.with_name(f".tmp-{uuid.uuid4().hex}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._locked(target.parent):
                found = self.get(path)
                if (found and found.etag) != expected:
                    raise Conflict(path)
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(target)
                try:
                    self._sync_folders(target.parent)
                except OSError as error:
                    raise Unknown(str(error)) from error
        except OSError as error:
            raise self._failed("write", path, error) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return hashlib.sha256(data).hexdigest()

    def land(self, path: str, content: Content) -> Landed:
        """Write a part file where nobody else writes."""
        target = self._at(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            return pour(content, target)
        except OSError as error:
            raise self._failed("write", path, error) from error

    def sync(self, folder: str) -> None:
        """Flush the files and folders of an attempt to the disk."""
        try:
            for path in sorted(self._at(folder).iterdir()):
                _fsync(path)
            self._sync_folders(self._at(folder))
        except OSError as error:
            raise self._failed("write", folder, error) from error

    def fetch(self, path: str) -> Landed:
        """The file itself, measured."""
        target, digest, count = self._at(path), hashlib.sha256(), 0
        try:
            with target.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
                    count += len(chunk)
        except FileNotFoundError:
            raise Gone(path) from None
        except OSError as error:
            raise self._failed("read", path, error) from error
        return Landed(0, count, digest.hexdigest(), target)

    def release(self, landed: Landed) -> None:
        """Nothing: a reader uses the stored file itself."""

    def list(self, folder: str = "") -> list[Entry]:
        """Every file below ``folder`` but locks."""
        return list(self._walk(self._at(folder) if folder else self.root))

    def delete(self, path: str) -> None:
        """Remove a file, and its folder when that leaves it empty."""
        target = self._at(path)
        try:
            target.unlink(missing_ok=True)
            if target.parent.name.startswith("attempt="):
                with contextlib.suppress(OSError):  # not empty yet
                    target.parent.rmdir()
        except OSError as error:
            raise self._failed("delete", path, error) from error

    def pause(self, turn: int) -> None:
        """Wait a moment."""
        pause(turn)

    def _at(self, path: str) -> Path:
        return self.root / checked(path)

    def _walk(self, folder: Path) -> Iterator[Entry]:
        for path in sorted(folder.rglob("*")):
            try:
                if path.is_file() and path.name != ".lock":
                    modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield Entry(path.relative_to(self.root).as_posix(), modified)
            except FileNotFoundError:  # deleted since the folder was read
                continue

    @contextlib.contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        # The lock file is never removed: two processes must not lock two different files.
        with (folder / ".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _sync_folders(self, folder: Path) -> None:
        """A new file is durable when its folder is, and that folder's folder, up to the root."""
        for place in (folder, *folder.parents):
            _fsync(place)
            if place == self.root:
                break

    def _failed(self, verb: str, path: str, error: OSError) -> StoreError:
        return failed(verb, self.root / path, error)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def failed(verb: str, path: Path, error: OSError) -> StoreError:
    """What to tell of a file system's refusal."""
    return StoreError(f"cannot {verb} {path}: {error.strerror or error}{_advice(error)}")


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "; free space there and rerun the step, nothing of it was kept"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "; this user must be able to write there"
    return ""


def open_store(root: str, *, scratch: Path) -> Any:
    """The store at ``root``: ``file:///folder`` or ``s3://conn_id@bucket/prefix``."""
    parts = urlsplit(root)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return FileStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname:
        from include.handoff.s3 import S3Store

        return S3Store(parts.netloc, parts.path.strip("/"), scratch=scratch)
    raise StoreError(f"root {root!r} must be file:///folder or s3://conn_id@bucket/prefix")

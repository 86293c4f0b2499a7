"""Handoffs in a folder of a local or network file system: ``file:///folder``."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from include.handoff.local_files import CHUNK_BYTES, checked, failed, pause, write_new_file
from include.handoff.store_calls import Blob, Conflict, Content, Entry, Gone, PartStats, StoreError, Unknown
from include.private_files import open_private, private_folder


class FileStore:
    """Handoffs in a folder of a local or network file system."""

    def __init__(self, root: Path) -> None:
        """Keep handoffs under ``root``; the first write creates it."""
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
        """Replace the file under a lock, if it has not changed since it was read."""
        target = self._at(path)
        temporary = target.with_name(f".tmp-{uuid.uuid4().hex}")
        try:
            private_folder(target.parent)
            with self._locked(target.parent):
                found = self.get(path)
                if (found and found.etag) != expected:
                    raise Conflict(path)
                with open_private(temporary, "xb") as file:
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

    def write_part(self, path: str, content: Content) -> PartStats:
        """Write a part file at a path that no other writer uses."""
        target = self._at(path)
        try:
            private_folder(target.parent)
            return write_new_file(content, target)
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

    def fetch(self, path: str) -> PartStats:
        """The stored file itself, measured."""
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
        return PartStats(0, count, digest.hexdigest(), target)

    def release(self, fetched: PartStats) -> None:
        """Do nothing: a reader uses the stored file itself."""

    def list(self, folder: str = "") -> list[Entry]:
        """Every file below ``folder`` except lock files."""
        return list(self._walk(self._at(folder) if folder else self.root))

    def delete(self, path: str) -> None:
        """Remove a file, and its folder if that is then empty."""
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
        with open_private(folder / ".lock", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _sync_folders(self, folder: Path) -> None:
        """Flush the folder and its parents up to the root: only then is a new file in it durable."""
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

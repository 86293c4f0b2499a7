"""Find the files of a csv source's folder, check their size, and convert them to plain UTF-8.

Only files in the folder are read: symbolic links to files outside are refused.
"""

from __future__ import annotations

import codecs
import csv
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.private_files import open_private
from include.source_errors import SourceError, SourceRowError

ENDINGS = (".csv.gz", ".csv", ".parquet")
CHUNK_BYTES = 1 << 20
HEADER_BYTES = 1 << 18
MAX_RATIO = 200  # sales files compress 5 to 30 times; more is an attack or a fault
FREE_BYTES = 16 << 20  # the ratio is not checked below this size
KEEP_SECONDS = 24 * 3600  # staged copies of earlier files are kept this long for processes that read them
ROOTS = "FIRMAMENT_SOURCE_ROOTS"


@dataclass(frozen=True)
class File:
    """One data file, with its size and modification time when it was found."""

    path: Path
    size: int
    changed_at: int

    @property
    def ending(self) -> str:
        """``.csv``, ``.csv.gz`` or ``.parquet``."""
        return next(ending for ending in ENDINGS if self.path.name.lower().endswith(ending))

    @property
    def identity(self) -> tuple[str, int, int]:
        """A value that changes when the file changes."""
        return (self.path.name, self.size, self.changed_at)

    def check_unchanged(self) -> None:
        """SourceError when the file has changed since it was found."""
        if _file(self.path) != self:
            raise SourceError(
                f"{self.path} changed while it was read; run again when it is complete "
                "(write under another name, then rename)"
            )


def folder_of(uri: str, *, where: str) -> Path:
    """The folder of a file:// URI; SourceRowError when it does not exist or is not allowed."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise SourceRowError(f"{where}: uri {uri!r} is no file:// folder; csv files are read from folders")
    text = unquote(parts.path)
    if "\0" in text:
        raise SourceRowError(f"{where}: uri {uri!r} holds a NUL")
    folder = Path(text)
    if not folder.is_dir():
        raise SourceRowError(
            f"{where}: {folder} is not a folder; correct source.uri of the firm, or mount it"
        )
    folder = folder.resolve()
    roots = [Path(root).resolve() for root in os.environ.get(ROOTS, "").split(os.pathsep) if root]
    if roots and not any(folder.is_relative_to(root) for root in roots):
        raise SourceRowError(f"{where}: {folder} is not in a folder that {ROOTS} allows")
    return folder


def data_files(folder: Path, endings: tuple[str, ...] = ENDINGS) -> list[File]:
    """The folder's data files by name; other files are ignored.

    With ``ENDINGS`` two files of one name are refused. With other endings hidden files are ignored.
    """
    is_strict = endings is ENDINGS
    try:
        paths = sorted(p for p in folder.iterdir() if p.name.lower().endswith(endings) and p.is_file())
    except OSError as error:
        raise SourceError(f"{folder} cannot be listed: {error.strerror}") from error
    if not is_strict:
        paths = [path for path in paths if path.name[0] not in ".~"]  # ~ begins Excel's lock files
    stems: dict[str, Path] = {}
    for path in paths:
        if not path.resolve().is_relative_to(folder):
            raise SourceError(f"{path} is a link to a file outside its folder; copy the file instead")
        stem = path.name.lower().split(".")[0] if path.suffix != ".csv" else path.stem.lower()
        if is_strict and stem in stems:
            raise SourceError(
                f"{stems[stem].name} and {path.name} in {folder}: the same file twice? Keep one"
            )
        stems[stem] = path
    return [_file(path) for path in paths]


def check_some(files: Sequence[File], folder: Path, endings: Sequence[str], *, where: str) -> None:
    """SourceError for a folder without a data file: it is not the folder of a shop without sales."""
    if not files:
        raise SourceError(
            f"{where}: {folder} has no file that ends with {', '.join(endings)}; send the sales again, or a "
            "file with only its header line if there were none"
        )


def _file(path: Path) -> File:
    try:
        stat = path.stat()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    return File(path, stat.st_size, max(stat.st_mtime_ns, stat.st_ctime_ns))


def plain(file: File, *, encoding: str, scratch: Path) -> Path:
    """The file as uncompressed UTF-8 text: the file itself, or a converted copy in ``scratch``."""
    if file.ending == ".csv" and encoding in ("utf-8", "utf-8-sig"):
        return file.path
    copy = scratch / plain_name(file.path)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open_private(copy, "wb") as out:
            for block in _blocks(file):
                out.write(decoder.decode(block).encode("utf-8"))
            out.write(decoder.decode(b"", final=True).encode("utf-8"))
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{file.path} is not {encoding}: {error.reason} near {error.object[error.start : error.end]!r}; "
            "set mapping.encoding of the firm's source, such as cp1252"
        ) from error
    except OSError as error:
        raise SourceError(f"{file.path} cannot be read: {error.strerror or error}") from error
    return copy


def plain_name(path: Path) -> str:
    """The name of a file's uncompressed copy."""
    return f"{path.name.removesuffix('.gz')}.plain"


def _blocks(file: File) -> Iterator[bytes]:
    """The file's bytes, decompressed; SourceError if it is truncated, damaged or a decompression bomb."""
    with file.path.open("rb") as source:
        if file.ending != ".csv.gz":
            while block := source.read(CHUNK_BYTES):
                yield block
            return
        inflate, given = zlib.decompressobj(wbits=31), 0
        whole = False  # whether the last gzip member is complete
        while block := source.read(CHUNK_BYTES):
            while block:
                if inflate.eof:
                    inflate = zlib.decompressobj(wbits=31)
                try:
                    out = inflate.decompress(block, CHUNK_BYTES)
                except zlib.error as error:
                    raise SourceError(f"{file.path} is damaged: {error}; send it again") from error
                given += len(out)
                if given > FREE_BYTES and given > MAX_RATIO * file.size:
                    raise SourceError(
                        f"{file.path} expands more than {MAX_RATIO} times; send it uncompressed"
                    )
                yield out
                block = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                whole = inflate.eof
        if not whole:
            raise SourceError(f"{file.path} is truncated: its gzip stream does not end; send it again")


def first_line(path: Path, *, delimiter: str, name: Path) -> list[str]:
    """The fields of a plain file's first line; SourceError when it is missing or too long."""
    try:
        with path.open("rb") as source:
            head = source.read(HEADER_BYTES)
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}") from error
    if not head.strip(b"\xef\xbb\xbf\r\n \t"):
        raise SourceError(f"{name} is empty and has no header line; send it again or remove it")
    if len(head) == HEADER_BYTES and b"\n" not in head:
        raise SourceError(f"{name}: the first line is longer than {HEADER_BYTES} bytes; is it a csv file?")
    text = head.decode("utf-8-sig", errors="replace")
    try:
        return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise SourceError(f"{name}: the header line cannot be read: {error}") from error


def own_scratch() -> Path:
    """A folder that only this user can read, because staged lines contain customer ids."""
    folder = Path(tempfile.gettempdir()) / f"firmament-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.is_symlink():
        raise SourceError(f"{folder} belongs to another user; set TMPDIR to a folder of your own")
    return folder


def clear(home: Path, *, keep: Path) -> None:
    """Remove staged copies of earlier files, after the time in which a process may still read them."""
    for old in home.iterdir():
        if old != keep and old.is_dir() and old.stat().st_mtime < time.time() - KEEP_SECONDS:
            shutil.rmtree(old, ignore_errors=True)

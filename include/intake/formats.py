"""Recognise a file by its content, not by its name, and read its tables."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from include.data_files.folder import CHUNK_BYTES, FREE_BYTES, MAX_RATIO
from include.intake.answer import Refused
from include.intake.dialect import read_text
from include.intake.encodings import decodes, find_encoding
from include.intake.headers import KNOWN, count_known
from include.intake.messages import Message
from include.intake.options import Options
from include.intake.tables import Table

ZIP_ENTRIES = 1000
NO_TABLES = ("unknown_format", "empty_file", "no_rows")
SKIPPED = ("__macosx/", ".ds_store", "thumbs.db")
DOCUMENTS = ("word/", "ppt/", "META-INF/", "Payload/")  # Word, PowerPoint, Java and e-book archives
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(path: Path) -> str:
    """gzip, zip, workbook, parquet, html, xml, json or text."""
    with path.open("rb") as source:
        head = source.read(4096)
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(OLE):
        return "workbook"
    if head.startswith(b"PK\x03\x04"):
        return "workbook" if _is_workbook(path) else "zip"
    if head.startswith(
        (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf", b"SQLite format", b"GIF8", b"RIFF")
    ):
        raise Refused(
            "unknown_format",
            f"{path.name} is not a table: it begins with {head[:8]!r}",
            "Export the sales as csv, xlsx, json or parquet",
        )
    text = head.replace(b"\0", b"") if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head[:4] else head
    text = (
        text.removeprefix(b"\xef\xbb\xbf")
        .removeprefix(b"\xff\xfe")
        .removeprefix(b"\xfe\xff")
        .lstrip()
        .lower()
    )
    if text.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<div")):
        return "html"
    if text.startswith((b"<?xml", b"<workbook")):
        return "xml" if b"office:spreadsheet" in text or b"<html" not in text else "html"
    if text.startswith((b"{", b"[")):
        return "json"
    if _is_binary(head):
        raise Refused(
            "unknown_format",
            f"{path.name} is binary data, not a table",
            "Export the sales as csv, xlsx or parquet",
        )
    return "text"


def _is_binary(head: bytes) -> bool:
    """Whether the file is binary: text never has this many control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or max(head[0::2].count(0), head[1::2].count(0)) * 8 > len(
        head
    ):
        return False  # UTF-16
    control = sum(1 < byte < 9 or 13 < byte < 32 or not byte for byte in head)  # 1 separates fields in Hive
    return control * 50 > len(head)


def read_tables(path: Path, options: Options, scratch: Path) -> list[Table]:
    """All tables of a file, of a folder, or of an archive."""
    if path.is_dir():
        parts = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        return _read_parts(path, parts, options, scratch)
    if not path.is_file():
        raise Refused("no_file", f"{path} is not a file", "Give the path of a sales file")
    if path.stat().st_size == 0:
        raise Refused(
            "empty_file", f"{path.name} is empty", "Export it again; a header and one row are needed"
        )
    kind = kind_of(path)
    if kind == "gzip":
        return read_tables(_inflate(path, scratch), options, scratch)
    if kind == "zip":
        return _read_parts(path, list(_unzip(path, scratch)), options, scratch)
    if kind in ("workbook", "html", "xml"):
        from include.intake import markup, workbooks

        read = {"workbook": workbooks.read, "html": markup.read_html, "xml": markup.read_xml}[kind]
        return read(path, options)
    if kind in ("parquet", "json"):
        from include.intake import records

        return records.read_parquet(path, scratch) if kind == "parquet" else records.read_json(path)
    if options.encoding:
        encoding, inferred = options.encoding, False
        try:
            valid = decodes(path, encoding)
        except LookupError:
            raise Refused(
                "bad_option", f"encoding {encoding!r} is unknown", "Use --encoding utf-8, cp1252 or cp1254"
            ) from None
        if not valid:
            raise Refused(
                "unknown_encoding", f"{path.name} is not {encoding}", "Omit --encoding, or set another"
            )
    else:
        encoding, inferred = find_encoding(path, count_known)
    table = read_text(
        path,
        name=path.name,
        encoding=encoding,
        known=KNOWN,
        delimiter=options.delimiter,
        has_header=options.has_header,
    )
    if inferred:
        table.notes.append(Message("encoding_inferred", values={"file": path.name, "encoding": encoding}))
    return [table]


def _read_parts(whole: Path, parts: list[Path], options: Options, scratch: Path) -> list[Table]:
    """The tables of several files. Files without a table are left out; a damaged file is refused."""
    tables: list[Table] = []
    left: dict[str, Refused] = {}
    for part in parts:
        try:
            found = read_tables(part, options, scratch)
            for table in found:
                table.part = (str(part), *table.part)
            tables += found
        except Refused as refused:
            if refused.code not in NO_TABLES:
                raise
            left[part.name] = refused
    if not tables and left:
        raise next(iter(left.values()))
    if left and tables:
        unread = Message("unread_files").having(count=len(left), folder=whole.name, files=tuple(left)[:5])
        tables[0].notes.append(unread)
    return tables


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, KeyError, zlib.error, RuntimeError, NotImplementedError):
        return path.suffix.lower() in (".xlsx", ".xlsm", ".ods", ".xlsb")
    return b"opendocument" in kind or any(name.startswith("xl/") for name in names)


def _inflate(path: Path, scratch: Path) -> Path:
    """Decompress a gzip file to scratch; Refused if it is damaged or a decompression bomb."""
    copy = _fresh(scratch, path.name.removesuffix(".gz"))
    size, given = path.stat().st_size, 0
    try:
        with gzip.open(path) as source, copy.open("wb") as out:
            while block := source.read(CHUNK_BYTES):
                given += len(block)
                _check_ratio(path.name, given, size)
                out.write(block)
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(
            "damaged_file", f"{path.name} is truncated or damaged: {error}", "Export it again"
        ) from error
    return copy


def _unzip(path: Path, scratch: Path) -> Iterator[Path]:
    """Unpack the files of an archive; Refused for damage, a password or a decompression bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir() and not _is_skipped(e.filename)]
            if not entries or len(entries) > ZIP_ENTRIES:
                raise Refused(
                    "empty_file", f"{path.name} contains {len(entries)} files", "Send the sales file itself"
                )
            if any(entry.filename.startswith(DOCUMENTS) for entry in entries):
                raise Refused(
                    "unknown_format",
                    f"{path.name} is a document, not a table",
                    "Export the sales as csv, xlsx, json or parquet",
                )
            given = 0
            for entry in entries:
                copy = _fresh(scratch, Path(entry.filename).name or "part")
                with archive.open(entry) as source, copy.open("wb") as out:
                    while block := source.read(CHUNK_BYTES):
                        given += len(block)
                        _check_ratio(path.name, given, path.stat().st_size)
                        out.write(block)
                yield copy
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(
            "damaged_file", f"{path.name} cannot be unpacked: {error}", "Unpack it and give the file inside"
        ) from error


def _is_skipped(name: str) -> bool:
    return any(part in name.lower() for part in SKIPPED) or Path(name).name.startswith(".")


def _fresh(scratch: Path, name: str) -> Path:
    folder = scratch / f"part-{sum(1 for _ in scratch.iterdir())}"
    folder.mkdir()
    return folder / name


def _check_ratio(name: str, given: int, size: int) -> None:
    if given > FREE_BYTES and given > MAX_RATIO * size:
        raise Refused(
            "expands_too_much",
            f"{name} decompresses to more than {MAX_RATIO} times its size, unlike any sales file",
            "Unpack it and give the file inside",
        )

"""The registry file: the firms for which DAG files build DAGs, exported from ``control.firms``.

It is a sorted JSON list with a checksum, replaced atomically, so that parsing needs no database call and an
unchanged firm stays byte-identical. A copy of the last good version is kept beside it: Airflow retires every
DAG of a file that fails to import, so a damaged registry must not stop the DAGs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from include.firms import Firm, FirmError, FirmShape, SourceRow, parse_firm

MAX_DROPPED_SHARE = 0.2  # a sync that drops a larger share of the firms is refused as an accident
MIN_FIRMS_CHECKED = 5  # the share is not checked for fewer firms


class Rows(Protocol):
    """The part of the warehouse that a sync needs."""

    def firm_rows(self) -> list[dict[str, object]]:
        """One row per firm that is not removed."""


@dataclass(frozen=True)
class SyncReport:
    """Result of a sync: firms kept, rows omitted with the reason, firms whose DAG disappears."""

    kept: tuple[str, ...]
    invalid: Mapping[str, str]
    dropped: tuple[str, ...]

    def check(self) -> None:
        """FirmError when rows were omitted; the others are already written."""
        if self.invalid:
            reasons = "; ".join(f"{key}: {reason}" for key, reason in sorted(self.invalid.items()))
            raise FirmError(
                f"{len(self.invalid)} of {len(self.kept) + len(self.invalid)} firms have no DAG. {reasons}"
            )


def sync_firms(
    warehouse: Rows, path: Path, *, force: bool = False, removed: Collection[str] = ()
) -> SyncReport:
    """Write the registry from the warehouse's firms.

    A firm with an invalid schedule or source is omitted and reported. A firm that only lacks a threshold
    keeps its DAG, and only its own run fails. If more than a fifth of the firms would disappear, the sync
    raises FirmError and leaves the file unchanged, unless ``force``. Firms in ``removed`` do not count.
    """
    shapes, invalid = {}, {}
    for row in warehouse.firm_rows():
        key = str(row.get("firm_key", "?"))
        try:
            shapes[key] = _shape(row)
        except FirmError as error:
            invalid[key] = str(error)
    with _locked(path):
        before = {shape.firm_key for shape in _last_known(path)}
        dropped = tuple(sorted(before - set(shapes)))
        is_checked = not force and len(before) >= MIN_FIRMS_CHECKED
        missing = [key for key in dropped if key not in removed]
        if is_checked and len(missing) > MAX_DROPPED_SHARE * len(before):
            raise FirmError(
                f"the sync would drop {len(missing)} of {len(before)} firms "
                f"({', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}), more than a fifth: "
                "nothing was changed. If this is intended: python -m include firms sync --force"
            )
        _replace(path, shapes.values())
    return SyncReport(kept=tuple(sorted(shapes)), invalid=invalid, dropped=dropped)


def write_registry(path: Path, shapes: Iterable[FirmShape]) -> None:
    """Replace the registry file, and the copy of its last good version."""
    with _locked(path):
        _replace(path, shapes)


def read_registry(path: Path) -> tuple[FirmShape, ...]:
    """The firms in the file; none before the first sync. FirmError when it is corrupt or missing later."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        rows = kept["firms"]
        if kept["sha256"] != _checksum(rows):
            raise ValueError("its checksum does not match its content")
        return tuple(FirmShape.model_validate(row) for row in rows)
    except FileNotFoundError:
        if not last_good(path).exists():
            return ()
        reason = "it is missing"
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise FirmError(f"registry {path} is corrupt ({reason}); rewrite it: python -m include firms sync")


def known_firms(path: Path) -> tuple[FirmShape, ...]:
    """The firms in the file or, if it is corrupt, in its last good version."""
    try:
        return read_registry(path)
    except FirmError:
        if last_good(path).exists():
            return read_registry(last_good(path))
        raise


def last_good(path: Path) -> Path:
    """The path of the last good version's copy."""
    return path.with_name(f"{path.name}.good")


def _shape(row: Mapping[str, object]) -> FirmShape:
    """The part of a firm's row that its DAG needs, also if other parts are invalid."""
    try:
        return parse_firm(dict(row)).shape
    except FirmError as error:
        reason = error
    given = {name: value for name, value in row.items() if value is not None}
    try:
        source = SourceRow.model_validate(given.get("source"))
        return Firm.model_construct(**{**given, "source": source}).shape  # type: ignore[arg-type]
    except (ValidationError, AttributeError, TypeError):
        raise reason from None


def _last_known(path: Path) -> tuple[FirmShape, ...]:
    try:
        return known_firms(path)
    except FirmError:
        return ()  # both copies are corrupt: nothing to compare with, and a new file repairs them


def _checksum(rows: object) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _replace(path: Path, shapes: Iterable[FirmShape]) -> None:
    rows = [shape.model_dump(mode="json") for shape in sorted(shapes, key=lambda s: s.firm_key)]
    text = json.dumps(
        {"firms": rows, "sha256": _checksum(rows)}, indent=1, sort_keys=True, ensure_ascii=False
    )
    _write(path, text)
    _write(last_good(path), text)


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".registry-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # the DAG processor may be another user; the file has no secrets
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Run one sync at a time: the command line and the upkeep DAG may both start one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Delete a removed firm for good, then search for what is left: warehouse, handoffs, copies, logs, registry.

The command can be killed at any point and run again. Handoffs, copies and logs go first; the warehouse goes
last, in one transaction, because its row of the firm says that there is something to purge.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from include.erasure.places import LOG_SUFFIXES, remove_copies
from include.handoff.stores import open_store
from include.private_files import private_folder
from include.settings import Settings
from include.warehouse import UnknownFirm, Warehouse


class PurgeError(RuntimeError):
    """The purge was refused and nothing changed; the message says why."""


@dataclass(frozen=True)
class PurgeReport:
    """What was deleted, by place, and how much each place that was searched afterwards still holds."""

    deleted: dict[str, int]
    left: dict[str, int]

    @property
    def found(self) -> list[str]:
        """Places that still hold something of the firm."""
        return [place for place, count in self.left.items() if count]


def purge_firm(settings: Settings, firm_key: str, *, actor: str) -> PurgeReport:
    """Delete everything of a firm that ``firms remove`` has removed. Waits until none of its steps runs."""
    parent = private_folder(settings.home / "scratch")
    with (
        Warehouse(settings.warehouse_dsn()) as warehouse,
        tempfile.TemporaryDirectory(dir=parent, prefix="purge-") as folder,
    ):
        rows = {row["firm_key"]: row for row in warehouse.firms.firm_rows(include_removed=True)}
        if firm_key not in rows:
            raise UnknownFirm(f"no firm {firm_key!r}, also among removed ones; nothing was changed")
        if rows[firm_key].get("removed_at") is None:
            raise PurgeError(
                f"firm {firm_key} is not removed; remove it first: python -m include firms remove {firm_key}"
            )
        warehouse.erasures.hold_firm(firm_key)
        firm_sk = warehouse.erasures.firm_sk(firm_key)
        relations = warehouse.erasures.relations()
        store = open_store(settings.root, scratch=Path(folder))
        files = [entry.path for entry in store.list(firm_key)]
        for path in files:
            store.delete(path)
        if settings.root.startswith("file://"):
            shutil.rmtree(Path(settings.root.removeprefix("file://")) / firm_key, ignore_errors=True)
        others = rows.keys() - {firm_key}
        deleted = {
            "files of handoffs": len(files),
            "copies of the firm's files": remove_copies(settings, firm_key),
            "task logs and reports": _remove_own_logs(settings, firm_key),
            "lines of other logs": _mask_logs(settings, firm_key, others),
        }
        deleted |= warehouse.purge.delete(firm_key, firm_sk, relations, actor)
        left = {
            "files of handoffs": len(list(store.list(firm_key))),
            "copies of the firm's files": remove_copies(settings, firm_key),
            "logs and reports": sum(1 for _ in _own_logs(settings, firm_key))
            + sum(_names(path, firm_key) for path in _shared_logs(settings, others)),
            "registry": _in_registry(settings, firm_key),
            **warehouse.purge.left(firm_key, firm_sk, relations),
        }
    return PurgeReport(deleted, left)


def _own_logs(settings: Settings, firm_key: str) -> Iterator[Path]:
    """Folders of the firm's task logs, and its reports."""
    if settings.logs.is_dir():
        yield from settings.logs.rglob(f"dag_id=firm_{firm_key}")
    reports = settings.home / "reports"
    if reports.is_dir():
        yield from (path for path in reports.iterdir() if re.match(rf"{firm_key}(?![a-z0-9_])", path.name))


def _remove_own_logs(settings: Settings, firm_key: str) -> int:
    count = 0
    for path in list(_own_logs(settings, firm_key)):
        count += sum(one.is_file() for one in path.rglob("*")) if path.is_dir() else 1
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return count


def _shared_logs(settings: Settings, others: set[str]) -> Iterator[Path]:
    """Logs that firms share, such as those of services and of the upkeep DAG; not the other firms' own.

    A firm's key may be an ordinary word, which another firm's log may contain.
    """
    theirs = {f"dag_id=firm_{key}" for key in others}
    for path in sorted(settings.logs.rglob("*")) if settings.logs.is_dir() else ():
        if path.is_file() and path.suffix in LOG_SUFFIXES and theirs.isdisjoint(path.parts):
            yield path


def _pattern(firm_key: str) -> re.Pattern[bytes]:
    """The firm's key as logs name it: alone or in a DAG's id, and not within another word."""
    return re.compile(rb"(?<![A-Za-z0-9_])(?:firm_)?" + firm_key.encode() + rb"(?![A-Za-z0-9_])")


def _names(path: Path, firm_key: str) -> bool:
    return _pattern(firm_key).search(path.read_bytes()) is not None


def _mask_logs(settings: Settings, firm_key: str, others: set[str]) -> int:
    """Overwrite the firm's key in shared logs, in place, so that open log files stay valid; lines changed."""
    pattern, count = _pattern(firm_key), 0
    for path in _shared_logs(settings, others):
        with path.open("r+b") as file:
            place = 0
            for line in file.read().splitlines(keepends=True):
                masked = pattern.sub(lambda match: b"*" * len(match[0]), line)
                if masked != line:
                    file.seek(place)
                    file.write(masked)
                    count += 1
                place += len(line)
    return count


def _in_registry(settings: Settings, firm_key: str) -> int:
    """How many of the registry's files name the firm."""
    from include.registry import last_good

    places = (settings.registry, last_good(settings.registry))
    return sum(f'"firm_key": "{firm_key}"' in path.read_text() for path in places if path.is_file())

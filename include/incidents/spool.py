"""Failures that could not be recorded because the warehouse is down: kept in local files until it is back.

One folder per cause, ``<FIRMAMENT_HOME>/incidents/<hash>``, one JSON file per failure in it. The first
failure of a cause is sent at once. ``sent.json`` lists the targets that have accepted it, and a lock lets one
process send at a time. :func:`recover` moves what is there into the warehouse.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from include.incidents.delivery import send
from include.incidents.message import message_of
from include.private_files import private_folder
from include.settings import Settings, write_private

SENT, LOCK = "sent.json", "lock"
Row = dict[str, Any]


def keep(cause: Row, entry: Row, settings: Settings) -> None:
    """Keep a failure in a file, and send its message unless one of this cause was sent."""
    name = hashlib.sha256("/".join(cause[key] for key in ("place", "kind", "resource_name")).encode())
    folder = _root(settings) / name.hexdigest()[:24]
    content = json.dumps({"cause": cause, "entry": {**entry, "as_of": str(entry["as_of"] or "")}})
    for is_last in (False, True):
        private_folder(folder)
        try:
            write_private(folder / f"{uuid.uuid4().hex}.json", content)
            break
        except FileNotFoundError:  # recover() has just removed the folder
            if is_last:
                raise
    _send(folder)


def send_unsent(settings: Settings) -> None:
    """Send again the messages that no target has accepted yet."""
    for folder in _folders(settings):
        _send(folder)


def recover(settings: Settings) -> int:
    """Move the failures in files into the warehouse; how many. Raises WarehouseError while it is down."""
    from include.warehouse.incidents import Incidents

    moved = 0
    folders = _folders(settings)
    if not folders:
        return 0
    with Incidents(settings.warehouse_dsn()) as incidents:
        incidents.now()
        for folder in folders:
            with _locked(folder) as is_ours:
                if not is_ours:
                    continue
                sent = _sent(folder)
                for path, content in _failures(folder):
                    incidents.record(content["cause"], content["entry"], sent=sent)
                    path.unlink()
                    moved += 1
                _remove(folder)
    return moved


def _send(folder: Path) -> None:
    with _locked(folder) as is_ours:
        failures = [content for _, content in _failures(folder)] if is_ours else []
        loud = [content for content in failures if not content["entry"]["is_quiet"]]
        sent = _sent(folder)
        for target in sorted({name for content in loud for name in content["entry"]["targets"]} - sent):
            entries = [content["entry"] for content in loud if target in content["entry"]["targets"]]
            incident = {**loud[0]["cause"], "incident_id": None}
            body = message_of(incident, entries, message_kind="opened")
            if send({**body, "id": folder.name}, target):
                sent.add(target)
                write_private(folder / SENT, json.dumps(sorted(sent)))


def _remove(folder: Path) -> None:
    """Remove a folder without failures. A failure written meanwhile keeps it for the next call."""
    if not any(True for _ in _failures(folder)):
        with contextlib.suppress(OSError):
            (folder / SENT).unlink(missing_ok=True)
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()


def _root(settings: Settings) -> Path:
    return settings.home / "incidents"


def _folders(settings: Settings) -> list[Path]:
    root = _root(settings)
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _failures(folder: Path) -> Iterator[tuple[Path, Row]]:
    """The failures of a folder, first written first."""
    paths = [path for path in folder.glob("*.json") if path.name != SENT and not path.name.startswith(".")]
    for path in sorted(paths, key=lambda one: one.stat().st_mtime_ns):
        with contextlib.suppress(ValueError, FileNotFoundError):
            content = json.loads(path.read_text())
            day = content["entry"]["as_of"]
            content["entry"]["as_of"] = date.fromisoformat(day) if day else None
            yield path, content


def _sent(folder: Path) -> set[str]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return set(json.loads((folder / SENT).read_text()))
    return set()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Whether this process has the folder; False while another has it, or when it is gone."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)

"""Create files and folders that only their owner can read: they hold customers' names and mails.

``private_umask`` covers everything a process writes, libraries included. ``private_folder`` and
``open_private`` set the mode themselves, for code that also runs in processes of others.
``close_home`` corrects what earlier versions left open.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UMASK = 0o077
OPEN_TO_OTHERS = 0o077
# Folders of the home that hold customer data or secrets. `postgres` is the server's own.
FOLDERS = ("airflow", "cache", "demo", "handoffs", "logs", "reports", "scratch")


@contextlib.contextmanager
def private_umask() -> Iterator[None]:
    """Within, new files have mode 0600 and new folders 0700. The umask is the whole process's."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def private_folder(path: Path) -> Path:
    """Create the folder and its missing parents, each with mode 0700."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process created it
            folder.mkdir(mode=0o700)
    return path


def open_private(path: Path, mode: str) -> Any:
    """Open a file; a new one gets mode 0600."""
    return open(path, mode, opener=_opener)


def close_home(home: Path) -> None:
    """Remove the access of group and others to an installation's files."""
    private_folder(home)
    # PostgreSQL does not run as root: another user must pass through these two folders, without listing them.
    passable = 0o011 if os.geteuid() == 0 else 0
    for folder in (home, home / "postgres"):
        if folder.exists():
            _chmod(folder, folder.stat().st_mode & ~OPEN_TO_OTHERS | passable)
    for name in FOLDERS:
        close_folder(home / name)


def close_folder(folder: Path) -> None:
    """Remove the access of group and others to a folder and all below it, unless the folder is closed."""
    if not folder.is_dir() or not folder.stat().st_mode & OPEN_TO_OTHERS:
        return
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if not path.is_symlink():
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    _chmod(path, path.stat().st_mode & ~OPEN_TO_OTHERS)
    _chmod(folder, folder.stat().st_mode & ~OPEN_TO_OTHERS)  # last: an interrupted call is repeated


def _chmod(path: Path, mode: int) -> None:
    with contextlib.suppress(PermissionError):  # another user's
        if path.stat().st_mode != mode:
            path.chmod(mode & 0o7777)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

"""The files of the console's pages and their addresses. Every Airflow service imports this module."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PREFIX = "/firmament"  # where the plugin mounts the console, below Airflow's own address


@cache
def version_of(name: str) -> str:
    """The hash of a file, which is part of its address: a new version has a new address."""
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:16]


def address_of(name: str) -> str:
    """A file's address relative to Airflow's, so that it holds below a path too."""
    return f"{PREFIX.lstrip('/')}/static/{name}?v={version_of(name)}"

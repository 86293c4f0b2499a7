"""Open a DuckDB database that is locked and bounded: the only place of the project that opens one.

It reads the files and folders it was given and nothing else, installs no extension, spills to one folder
beyond its memory limit, and refuses every later change of its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from include.settings import Settings


def open_database(
    *,
    spill: Path,
    threads: int,
    memory_mb: int | None = None,
    files: Iterable[Path] = (),
    folders: Iterable[Path] = (),
) -> duckdb.DuckDBPyConnection:
    """A private in-memory database that can read ``files``, and read and write ``folders`` and ``spill``.

    ``memory_mb`` is ``FIRMAMENT_MEMORY_MB`` unless given.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_mb or Settings.read().memory_mb}MB",
            "threads": threads,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("set global TimeZone = 'UTC'")  # for its cursors too
    connection.execute("set enable_progress_bar = false")
    connection.execute("set allowed_paths = $paths", {"paths": [str(path) for path in files]})
    allowed = [str(path) for path in (*folders, spill)]
    connection.execute("set allowed_directories = $folders", {"folders": allowed})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def share_of_memory(share: float) -> int:
    """Megabytes for a database that is not alone in its step: a share of ``FIRMAMENT_MEMORY_MB``."""
    return max(1, int(Settings.read().memory_mb * share))

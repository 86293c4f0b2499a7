"""What commit 6ebb6e7 left behind: two simulated firms, two as_of. ``tools/upgrade_fixture.py`` made it."""

import lzma
import os
import subprocess
import tarfile
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from include import postgres

FOLDER = Path(__file__).parent / "upgrade"
OLD_HOME = "/firmament-upgrade"  # as the dump names the folder of the firms' files
FIRMS = ("north", "south")
AS_OF = (date(2025, 8, 15), date(2025, 11, 10))


def restore(dsn: str) -> None:
    """Restore the dump with psql, as an administrator restores a backup."""
    parts = urlsplit(dsn)
    environ = os.environ | {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port),
        "PGUSER": unquote(parts.username),
        "PGPASSWORD": unquote(parts.password),
        "PGDATABASE": parts.path.lstrip("/"),
    }
    done = subprocess.run(
        [str(postgres.program("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1"],
        input=lzma.decompress((FOLDER / "warehouse.sql.xz").read_bytes()),
        env=environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def unpack(dsn: str, home: Path) -> None:
    """Put the firms' files and handoffs into ``home`` and point the restored firms at them."""
    with tarfile.open(FOLDER / "home.tar.xz") as tar:
        tar.extractall(home, filter="data")
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "update control.firms set source = replace(source::text, %s, %s)::jsonb", [OLD_HOME, str(home)]
        )

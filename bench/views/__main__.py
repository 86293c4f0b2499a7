"""Time an analyst's queries on a generated warehouse: ``python -m bench.views [--customers N ...]``.

Writes ``docs/views.json``: machine, load, scale, size on disk, and seconds of each query.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import psycopg

from bench.views.generate import Scale, fill
from bench.views.measure import measure
from include import postgres
from include.warehouse import migrate

PAGE = Path(__file__).parents[2] / "docs" / "views.json"
LIMIT = 1.0  # seconds
ROUNDS = 5


def run(dsn: str, scale: Scale) -> dict[str, Any]:
    """Fill the database at ``dsn`` and measure it."""
    migrate(dsn)
    began = time.perf_counter()
    fill(dsn, scale)
    filled = time.perf_counter() - began
    detailed, stored = scale.days(scale.detailed), scale.days(scale.summarised)
    timed = []
    for row in measure(dsn, detailed[-1], detailed[0], min(detailed[0], stored[0]), ROUNDS):
        print(f"{row.p95_s:8.3f} s  {row.name}{'  ' + row.error if row.error else ''}", flush=True)
        timed.append({key: value for key, value in asdict(row).items() if value not in (None, ())})
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": [round(value, 2) for value in os.getloadavg()],
        "scale": asdict(scale),
        "fill_s": round(filled, 1),
        "disk_mb": sizes(dsn),
        "slower_than_limit": sorted(row["name"] for row in timed if row["p95_s"] > LIMIT or "error" in row),
        "rows": timed,
    }


def sizes(dsn: str) -> dict[str, float]:
    """Megabytes of the tables, by the table's name without its firm."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select regexp_replace(relname, '_f[0-9]+$', ''), sum(pg_total_relation_size(oid))::float / 1e6 "
            "from pg_class where relkind = 'r' and relnamespace in ('parts'::regnamespace, "
            "'analytics'::regnamespace) group by 1 "
            "having sum(pg_total_relation_size(oid)) > 1e6 order by 2 desc"
        ).fetchall()
    return {name: round(size, 1) for name, size in found}


def main(arguments: list[str]) -> int:
    """Run, print and write; 1 when a query is slower than the limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.views")
    for field in fields(Scale):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    parser.add_argument("--dsn", help="an empty database; otherwise a server is started for the run")
    parser.add_argument("--out", type=Path, default=PAGE)
    asked = vars(parser.parse_args(arguments))
    dsn, out = asked.pop("dsn"), asked.pop("out")
    scale = Scale(**asked)
    if dsn:
        found = run(dsn, scale)
    else:
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)
            home.chmod(0o711)  # the server does not run as root and must be able to enter its folder
            server = postgres.start(home / "server")
            try:
                postgres.create_database(server, "bench")
                found = run(server.dsn("bench"), scale)
            finally:
                postgres.stop(home / "server")
    out.write_text(json.dumps(found, indent=1) + "\n")
    return int(bool(found["slower_than_limit"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

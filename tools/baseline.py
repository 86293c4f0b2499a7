"""Build the warehouse whose facts are the baseline: four fixed firms, without Airflow.

``python -m tools.baseline WORK`` makes ``WORK/postgres``, ``WORK/handoffs`` and the firms' sources, runs
every firm for its two dates, hashes all facts, writes ``WORK/facts.json`` and stops the server. The firms'
settings are written out here, so a change of the demo or of a default does not move the baseline.
Online Retail I is read from ``../shared/data``; without that folder the firm is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from include import postgres
from include.demo.data import load_journey, write_cdnow
from include.firms import parse_firm
from include.run.firm import chosen_steps, run_firm
from include.simulator import Plan, write_postgres
from include.warehouse import Warehouse, migrate
from tools.facts_hash import hash_warehouse

PROJECT = Path(__file__).resolve().parent.parent
RETAIL = PROJECT.parent / "shared" / "data" / "online_retail_i"
MODULES = ["rfm", "churn", "ltv", "insight", "actions"]
SIMULATED = Plan(  # about 100,000 lines
    customers=4_000,
    start=date(2024, 1, 1),
    end=date(2026, 1, 1),
    seed=2026,
    timezone="Europe/Istanbul",
    counts=(1.1, 9.0, 0.6, 9.0),
    season_strength=0.3,
    lines_per_order=3.3,
    products=1_000,
)
AS_OF = {
    "journey": (date(2017, 10, 1), date(2018, 1, 1)),
    "cdnow": (date(1998, 4, 1), date(1998, 7, 1)),
    "online_retail": (date(2011, 9, 1), date(2011, 12, 1)),
    "simulated": (date(2025, 10, 1), date(2026, 1, 1)),
}
SHARED = {
    "working_day_period": 0,
    "schedule_hour": 5,
    "min_spend": 0,
    "min_orders": 1,
    "lookback_days": 35,
    "language": "en",
    "retrain_months": 3,
    "modules": MODULES,
}


def firms(work: Path) -> dict[str, dict[str, Any]]:
    """The rows of the baseline's firms."""
    rows: list[dict[str, Any]] = [
        {
            "firm_key": "journey",
            "name": "The Complete Journey",
            "source": {"kind": "postgres", "conn_id": "shop_journey", "schema": "shop"},
            "timezone": "America/New_York",
            "currency": "USD",
            "churn_threshold_days": 60,
            "modules": [*MODULES, "engagement"],
        },
        {
            "firm_key": "cdnow",
            "name": "CDNOW",
            "source": {"kind": "csv", "uri": (work / "cdnow").as_uri(), "layout": "cdnow"},
            "timezone": "America/New_York",
            "currency": "USD",
            "churn_threshold_days": 90,
            "retrain_months": 6,
            "churn": {"sample_customers": 6_000, "most_cutoffs": 4},
            "rfm": {"window_days": 730},
        },
        {
            "firm_key": "online_retail",
            "name": "Online Retail I",
            "source": {"kind": "csv", "uri": RETAIL.as_uri(), "layout": "online_retail"},
            "timezone": "Europe/London",
            "currency": "GBP",
            "churn_threshold_days": 90,
        },
        {
            "firm_key": "simulated",
            "name": "Simulated",
            "source": {"kind": "postgres", "conn_id": "shop_simulated", "schema": "shop"},
            "timezone": "Europe/Istanbul",
            "currency": "TRY",
            "churn_threshold_days": 90,
            "modules": [*MODULES, "loyalty"],
        },
    ]
    return {
        row["firm_key"]: SHARED | row for row in rows if row["firm_key"] != "online_retail" or RETAIL.is_dir()
    }


def use_installation(home: Path, dsn: str, connections: Mapping[str, str]) -> None:
    """Point this process, and the children it starts, at one installation and nothing of the caller's."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW_", "FIRMAMENT_"))]:
        del os.environ[name]
    os.environ["FIRMAMENT_HOME"] = str(home)
    os.environ["FIRMAMENT_WAREHOUSE_DSN"] = dsn
    for conn_id, uri in connections.items():
        os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = uri


def run_all(dsn: str, rows: Mapping[str, dict[str, Any]], days: Mapping[str, Sequence[date]]) -> None:
    """Register the firms and run each for its dates, oldest first."""
    for key, row in rows.items():
        firm = parse_firm(row)
        with Warehouse(dsn) as warehouse:
            warehouse.firms.save_firm(firm, "baseline")
        for day in days[key]:
            started = time.monotonic()
            run_firm(key, day, chosen_steps(firm.modules))
            print(f"{key} as of {day}: {time.monotonic() - started:.1f} s", flush=True)


def build(work: Path, only: Sequence[str] = ()) -> dict[str, Any]:
    """The baseline's warehouse in ``work``; the hashes of its facts."""
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    server = postgres.start(work / "postgres", options={"fsync": "off"})
    try:
        dsn = postgres.create_database(server, "warehouse")
        shops = {name: postgres.create_database(server, name) for name in ("shop_journey", "shop_simulated")}
        use_installation(work, dsn, shops)
        migrate(dsn)
        rows = {key: row for key, row in firms(work).items() if not only or key in only}
        if "journey" in rows:
            load_journey(shops["shop_journey"])
        if "cdnow" in rows:
            write_cdnow(work / "cdnow")
        if "simulated" in rows and not _has_shop(shops["shop_simulated"]):
            write_postgres(SIMULATED, shops["shop_simulated"])
        run_all(dsn, rows, AS_OF)
        return hash_warehouse(dsn)
    finally:
        postgres.stop(work / "postgres")


def _has_shop(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select to_regclass('shop.orders') is not null").fetchone() == (True,)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.baseline", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("work", type=Path, help="folder of the installation to build")
    parser.add_argument("--only", default="", help="only these firms, separated by commas")
    parser.add_argument("--out", type=Path, help="where to write the hashes (default: WORK/facts.json)")
    arguments = parser.parse_args()
    started = time.monotonic()
    found = build(arguments.work, tuple(filter(None, arguments.only.split(","))))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    head = {
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout.strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "cores": os.cpu_count(),
        },
        "seconds": round(time.monotonic() - started),
        "cpu_seconds": round(sum(usage.ru_utime + usage.ru_stime for usage in used)),
    }
    out = arguments.out or arguments.work / "facts.json"
    out.write_text(json.dumps(head | found, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    print(f"{out}: {len(found['firms'])} firms in {head['seconds']} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure the product's predictions out of time, print them and write ``docs/truth.json``.

``python -m bench.truth [FIRM ...]`` measures these firms only and prints; a full run writes the file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.rivals import sales as rival_sales
from bench.truth import measure
from bench.truth.cases import CASES, CHARITY, FIRMS

PROJECT = Path(__file__).resolve().parent.parent.parent
OUTPUT = PROJECT / "docs" / "truth.json"
CHARITY_TOTALS = {180: 0.09, 365: 0.12}
COVERED, SHARE_COVERED, TOTALS_COVERED = (0.75, 0.85), 0.9, 0.7
WIDEST_TOTAL, LARGE = 0.2, 5_000


def records(firms: Sequence[str], modules: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One record per firm, day and prediction."""
    for firm in firms:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            try:
                files = FIRMS[firm](folder)
            except FileNotFoundError as error:
                print(f"{firm}: left out, {error}", flush=True)
                continue
            sales = rival_sales.read(files)
            for case in CASES:
                if case.firm == firm:
                    yield from measure.case(case, files, sales, folder, modules)


def bars_over_all(found: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The bars that several cases hold together: each with its figure and whether it holds."""
    bars: dict[str, dict[str, Any]] = {}
    days_of_bar = {day.isoformat() for day in CHARITY}
    for days, most in CHARITY_TOTALS.items():
        errors = [
            abs(row["total_error"]["product"])
            for row in found
            if row["firm"] == "charity" and row["horizon_days"] == days and "total_error" in row
            and row["as_of"] in days_of_bar
        ]  # fmt: skip
        if errors:
            mean = float(np.mean(errors))
            bars[f"charity, mean absolute error of totals over {days} days, at most {most}"] = {
                "figure": mean,
                "error": float(np.std(errors) / np.sqrt(len(errors))),
                "holds": mean <= most,
            }
    covered = [row["coverage_of_open"] for row in found if row.get("coverage_of_open") is not None]
    if covered:
        share = float(np.mean([COVERED[0] <= value <= COVERED[1] for value in covered]))
        bars["customers' intervals cover 75 to 85 %, in at least 9 of 10"] = {
            "figure": share,
            "of": len(covered),
            "holds": share >= SHARE_COVERED,
        }
    totals = [row for row in found if "total_inside" in row]
    if totals:
        share = float(np.mean([row["total_inside"] for row in totals]))
        bars["totals' intervals cover, at least 7 of 10"] = {
            "figure": share,
            "of": len(totals),
            "holds": share >= TOTALS_COVERED,
        }
        widest = max((row["total_half_width"] for row in totals if row["customers"] >= LARGE), default=0.0)
        bars["half-width of a total from 5,000 customers on, at most .20"] = {
            "figure": widest,
            "holds": widest <= WIDEST_TOTAL,
        }
    medians = [row["next_order"] for row in found if "next_order" in row]
    if medians:
        checked = sum(row["checked"] for row in medians)
        share = sum(row["ordered_by_median"] * row["checked"] for row in medians) / checked
        bars["customers who order by their median date, 45 to 55 %"] = {
            "figure": share,
            "of": checked,
            "holds": 0.45 <= share <= 0.55,
        }
    return bars


def show(row: dict[str, Any]) -> str:
    """One record in a line."""
    what = f"{row['firm']} {row['as_of']} {row['module']} {row['horizon_days']} ({row['method']})"
    parts = [
        f"{name} " + " ".join(f"{who}={value:.4f}" for who, value in row[name].items())
        for name in ("auc", "ece", "spearman", "total_error")
        if name in row
    ]
    for name in ("coverage_of_open", "total_inside", "total_half_width"):
        if row.get(name) is not None:
            parts.append(f"{name}={row[name]:.3f}")
    if "next_order" in row:
        parts.append(f"by_median={row['next_order']['ordered_by_median']:.3f}")
    missed = [bar for bar, holds in row.get("bars", {}).items() if not holds]
    return f"{what} {row['cpu_seconds']:.1f} s: {'; '.join(parts)}" + (f" MISSED {missed}" if missed else "")


def main() -> int:
    """Measure, print, write; 1 when a bar does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.truth", description=__doc__.split("\n\n")[0])
    parser.add_argument("firm", nargs="*", choices=[*FIRMS, []], help="default: all")
    parser.add_argument("--out", type=Path, help="write the records to this file")
    parser.add_argument("--module", choices=measure.MODULES, help="measure this module only")
    asked = parser.parse_args()
    started, cpu, found = time.time(), time.process_time(), []
    for row in records(asked.firm or list(FIRMS), [asked.module] if asked.module else measure.MODULES):
        print(show(row), flush=True)
        found.append(row)
    bars = bars_over_all(found)
    for name, bar in bars.items():
        print(f"{'holds' if bar['holds'] else 'MISSED'}: {name}: {bar['figure']:.4f}", flush=True)
    out = asked.out or (None if asked.firm or asked.module else OUTPUT)
    if out:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=PROJECT, check=True, capture_output=True, text=True
        ).stdout.strip()
        head = {
            "commit": commit,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "load": os.getloadavg()[0],
            "seconds": time.time() - started,
            "cpu_seconds": time.process_time() - cpu,
        }
        out.write_text(json.dumps({**head, "bars": bars, "records": found}, indent=1) + "\n")
    missed = [name for name, bar in bars.items() if not bar["holds"]]
    missed += [name for row in found for name, holds in row.get("bars", {}).items() if not holds]
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())

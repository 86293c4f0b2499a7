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
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bench.rivals import sales as rival_sales
from bench.statements import __main__ as simulated
from bench.truth import measure, published
from bench.truth.bars import Bar, bars
from bench.truth.bars import show as show_bar
from bench.truth.cases import CASES, FIRMS
from bench.truth.cpu import measure as compare_cpu

PROJECT = Path(__file__).resolve().parent.parent.parent
OUTPUT = PROJECT / "docs" / "truth.json"
SIMULATED_FIRMS = 200
STATEMENTS_HELD, NULL_FOUND = 0.9, 0.05


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


def check_statements(firms: int) -> dict[str, Any]:
    """Figures of the sentences about simulated firms; ``bench/statements`` simulates and checks them."""
    started = time.process_time()
    return simulated.summarise(simulated.measure(firms)) | {"cpu_seconds": time.process_time() - started}


def statements(checked: Future[dict[str, Any]]) -> Iterator[Bar]:
    """Bars of the sentences about simulated firms."""
    if (error := checked.exception()) is not None:
        yield Bar("simulated firms: what sentences say holds", None, None, None, note=repr(error))
        return
    summary = checked.result()
    known = (
        f"{summary['firms']} simulated firms of {SIMULATED_FIRMS}, {summary['sentences']} sentences, seeded; "
        f"{summary['cpu_seconds']:.0f} CPU s"
    )
    for what, name in (("descriptive sentences are exactly true", "false"),
                       ("no sentence is made without its evidence", "without_evidence")):  # fmt: skip
        count = float(sum(summary[name].values()))
        yield Bar(f"simulated firms: {what}", count, None, count == 0, summary[name], f"failures of {known}")
    for name, found in summary["predictions"].items():
        share = found["held_pct"] / 100
        error = float(np.sqrt(share * (1 - share) / found["firms"]))
        text = f"simulated firms: {name} holds the simulator's expectation in 90 % of firms"
        yield Bar(text, share, error, share >= STATEMENTS_HELD, {"firms": found["firms"]})
    effects = summary["null_effects"]
    if effects["firms"]:
        share = effects["found"] / effects["firms"]
        text = "simulated firms: a null effect is found in at most 5 %"
        error = float(np.sqrt(NULL_FOUND * (1 - NULL_FOUND) / effects["firms"]))
        yield Bar(text, share, error, share <= NULL_FOUND, effects)


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
    """Measure, print, write; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.truth", description=__doc__.split("\n\n")[0])
    parser.add_argument("firm", nargs="*", choices=[*FIRMS, []], help="default: all")
    parser.add_argument("--out", type=Path, help="write the records to this file")
    parser.add_argument("--module", choices=measure.MODULES, help="measure this module only")
    parser.add_argument(
        "--simulated", type=int, default=SIMULATED_FIRMS, help="firms whose sentences are checked"
    )
    asked = parser.parse_args()
    head = _head()
    started, cpu, found = time.time(), time.process_time(), []
    is_whole = not asked.firm and not asked.module
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as second_core:
        checked = second_core.submit(check_statements, asked.simulated) if is_whole else None
        for row in records(asked.firm or list(FIRMS), [asked.module] if asked.module else measure.MODULES):
            print(show(row), flush=True)
            found.append(row)
        held = list(bars(found))
        if checked is not None:
            held += [*published.fits(), *published.next_products(), *compare_cpu(), *statements(checked)]
    for bar in held:
        print(show_bar(bar), flush=True)
    out = asked.out or (OUTPUT if is_whole else None)
    if out:
        took = {"seconds": round(time.time() - started), "cpu_seconds": round(time.process_time() - cpu)}
        text = {**head, **took, "bars": [bar._asdict() for bar in held], "records": found}
        out.write_text(json.dumps(_rounded(text), indent=1) + "\n")
    return int(any(bar.held is False for bar in held))


def _head() -> dict[str, Any]:
    """Where and when: commit, date, machine, load before the run."""

    def git(*of: str) -> str:
        done = subprocess.run(["git", *of], cwd=PROJECT, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return {
        "commit": git("rev-parse", "HEAD"),
        "is_changed_since": bool(git("status", "--porcelain", "--", "include", "bench")),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def _rounded(found: Any) -> Any:
    """Floats with six significant digits, so that the file stays small."""
    if isinstance(found, float):
        return float(f"{found:.6g}")
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    return [_rounded(value) for value in found] if isinstance(found, list | tuple) else found


if __name__ == "__main__":
    raise SystemExit(main())

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


def statements(firms: int) -> Iterator[Bar]:
    """Bars of the sentences about simulated firms; without firms, those of the last ``bench.statements``."""
    if firms:
        summary, note = simulated.summarise(simulated.measure(firms)), f"of {SIMULATED_FIRMS} seeded firms"
    elif simulated.PAGE.exists():
        summary, note = json.loads(simulated.PAGE.read_text()), f"read from docs/{simulated.PAGE.name}"
    else:
        yield Bar("simulated firms: what sentences say holds", None, None, None, note="not run")
        return
    known = f"{summary['firms']} firms, {summary['sentences']} sentences; {note}"
    for name, bar in summary["bars"].items():
        yield Bar(
            f"simulated firms: {name}",
            float(bar["figure"]),
            bar.get("error"),
            bar["holds"],
            {"firms": bar["of"]},
            known,
        )


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
        "--simulated",
        type=int,
        default=SIMULATED_FIRMS,
        help="firms whose sentences are checked; 0: those of docs/statements.json",
    )
    asked = parser.parse_args()
    head = _head()
    started, cpu, found = time.time(), time.process_time(), []
    is_whole = not asked.firm and not asked.module
    for row in records(asked.firm or list(FIRMS), [asked.module] if asked.module else measure.MODULES):
        print(show(row), flush=True)
        found.append(row)
    held = list(bars(found))
    out = asked.out or (OUTPUT if is_whole else None)
    for more in (published.fits, published.next_products, compare_cpu, lambda: statements(asked.simulated)):
        if is_whole:
            held += more()
        if out:  # after each part: the sentences take longest
            took = {"seconds": round(time.time() - started), "cpu_seconds": round(time.process_time() - cpu)}
            text = {**head, **took, "bars": [bar._asdict() for bar in held], "records": found}
            out.write_text(json.dumps(_rounded(text), indent=1) + "\n")
    for bar in held:
        print(show_bar(bar), flush=True)
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

"""Understanding sales files: CPU and memory of ``inspect`` and ``try``, and Online Retail in five forms.

The files of 100,000 and a million lines are simulated. Each command runs in its own process; its CPU seconds
and its peak memory are those that the kernel reports. Online Retail I (archive.ics.uci.edu/dataset/352) goes
through ``try`` without options; the benchmark stops if the five forms give different figures.

    python -m bench intake
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from bench.rows import Row
from include.settings import PROJECT
from include.simulator import Plan, write_csv
from include.simulator.exports.workbook import write_xlsx

RETAIL = PROJECT.parent / "shared" / "data" / "online_retail_i" / "online_retail_i.parquet"
PLAN = Plan(
    customers=42_000,
    start=date(2023, 1, 1),
    end=date(2025, 1, 1),
    seed=1,
    counts=(1.1, 9.0, 0.6, 9.0),
    lines_per_order=3.0,
)
UNDERSTAND_SECONDS = 15.0
TRY = {100_000: (25.0, 1000.0), 1_000_000: (120.0, 1500.0)}  # lines: CPU seconds, MB
FIGURES = ("outcome", "customers", "orders", "net_amount", "first_day", "last_day")


@dataclass(frozen=True)
class Used:
    """What a command took: CPU seconds, peak memory in MB (10^6 bytes), and its output."""

    cpu_seconds: float
    peak_mb: float
    out: str


def rows() -> Iterator[Row]:
    """A row per bar: seconds are CPU seconds, and the limit is that of seconds or of memory."""
    with tempfile.TemporaryDirectory(prefix="firmament-bench-") as name:
        folder = Path(name)
        files = dict(zip(TRY, _simulated(folder, list(TRY)), strict=True))
        million = max(TRY)
        used = _run("inspect", files[million], folder)
        yield _row(f"inspect of {million:,} lines, CPU", used, UNDERSTAND_SECONDS)
        for lines, (seconds, megabytes) in TRY.items():
            used = _run("try", files[lines], folder)
            yield _row(f"try of {lines:,} lines, CPU", used, seconds)
            yield _row(f"try of {lines:,} lines, memory", used, megabytes, of_memory=True)
        if RETAIL.is_file():
            yield from _online_retail(folder)


def _row(name: str, used: Used, limit: float, *, of_memory: bool = False) -> Row:
    value = used.peak_mb if of_memory else used.cpu_seconds
    return Row(
        name=name, ours_s=used.cpu_seconds, peak_mb=used.peak_mb, limit=limit, share_of_limit=value / limit
    )


def _simulated(folder: Path, sizes: list[int]) -> Iterator[Path]:
    """Files of exactly so many lines: the first lines of one simulated firm."""
    write_csv(PLAN, folder / "firm")
    for size in sizes:
        path = folder / f"lines{size}.csv"
        with (folder / "firm" / "transactions.csv").open("rb") as whole, path.open("wb") as part:
            for number, line in enumerate(whole):
                if number > size:
                    break
                part.write(line)
            if number < size:
                raise RuntimeError(
                    f"the simulated firm has {number:,} lines, not {size:,}: raise PLAN.customers"
                )
        yield path


def _run(command: str, path: Path, folder: Path) -> Used:
    words = [sys.executable, "-m", "include", command, str(path), "--json"]
    words += ["--out", str(folder / "reports")] if command == "try" else []
    with (folder / "out").open("w+b") as out:
        process = subprocess.Popen(words, cwd=PROJECT, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}: {text[:500]}")
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, text)


def _online_retail(folder: Path) -> Iterator[Row]:
    """Online Retail I through ``try``: as csv, as a workbook, and in three dialects."""
    found: dict[str, tuple[object, ...]] = {}
    for path in _retail_files(folder):
        used = _run("try", path, folder)
        answer = json.loads(used.out)
        found[path.name] = tuple(answer[name] for name in FIGURES)
        if len(set(found.values())) > 1:
            raise RuntimeError(f"Online Retail has different figures: {found}")
        yield Row(
            name=f"try of Online Retail I as {path.name}: net amount {answer['net_amount']:,.2f}",
            ours_s=used.cpu_seconds,
            peak_mb=used.peak_mb,
        )


def _retail_files(folder: Path) -> Iterator[Path]:
    frame = pq.read_table(RETAIL).to_pandas()
    day, price = frame["InvoiceDate"], frame["UnitPrice"]
    plain = folder / "plain.csv"
    frame.to_csv(plain, index=False)
    yield plain
    german = folder / "german.csv"
    frame.assign(
        InvoiceDate=day.dt.strftime("%d.%m.%Y %H:%M"),
        UnitPrice=[f"{value:.3f}0".replace(".", ",") for value in price],
    ).to_csv(german, index=False, sep=";", encoding="cp1252", errors="replace")
    yield german
    american = folder / "american.txt"
    frame.assign(
        InvoiceDate=day.dt.strftime("%m/%d/%Y %I:%M %p"), UnitPrice=[f"${value:,.4f}" for value in price]
    ).to_csv(american, index=False, sep="\t", encoding="utf-16")
    yield american
    british = folder / "british.csv.gz"
    frame.assign(InvoiceDate=day.dt.strftime("%d/%m/%y %H:%M")).to_csv(british, index=False, quoting=1)
    yield british
    book = folder / "book.xlsx"
    write_xlsx(book, {"Online Retail": [list(frame.columns), *map(_cells, frame.itertuples(index=False))]})
    yield book


def _cells(row: tuple[object, ...]) -> list[object]:
    cells: list[object] = []
    for value in row:
        if pd.isna(value):
            cells.append(None)
        elif isinstance(value, np.generic):
            cells.append(value.item())
        else:
            cells.append(value.to_pydatetime() if isinstance(value, pd.Timestamp) else value)
    return cells

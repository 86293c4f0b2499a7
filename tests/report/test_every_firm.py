"""A report of simulated firms of 0 to 500 customers, with every module and without each of them."""

from __future__ import annotations

import csv
import re
import shutil
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from include.engines import open_engine
from include.firms import MODULES, OPTIONAL_MODULES, Firm, parse_firm
from include.handoff import Handoff
from include.overview.result import write_result
from include.report import write
from include.report.profile import gather, was_run
from include.report.reading import Reading
from include.run import preview
from include.simulator import Plan, write_csv
from include.steps import STEPS

AS_OF = date(2025, 1, 1)
EVERY = (*MODULES, *OPTIONAL_MODULES)
SIZES = (0, 1, 2, 20, 60, 500)
ALWAYS = (
    "short",
    "changes",
    "segments",
    "grid",
    "cohorts",
    "value",
    "leaving",
    "actions",
    "lists",
    "sure",
    "cannot",
)


@dataclass(frozen=True)
class Ran:
    """A firm after all of its computing steps."""

    firm: Firm
    folder: Path
    customers: int

    def reading(self, *, without: tuple[str, ...], out: Path) -> Reading:
        """The handoffs, where the steps of some modules did not run."""
        written = {step.writes.name for step in STEPS if step.module in without and step.writes}
        root = out / "handoffs"
        for folder in (self.folder / "handoffs").rglob("*"):
            if folder.is_dir() and not written & set(folder.relative_to(self.folder / "handoffs").parts):
                (root / folder.relative_to(self.folder / "handoffs")).mkdir(parents=True, exist_ok=True)
                for file in folder.iterdir():
                    if file.is_file():
                        shutil.copy(file, root / folder.relative_to(self.folder / "handoffs") / file.name)
        scratch = out / "scratch"
        scratch.mkdir()
        engine = open_engine("duckdb", memory_mb=512, threads=1, scratch=scratch)
        return Reading(self.firm, AS_OF, Handoff(root.as_uri(), scratch=scratch), engine)


@pytest.fixture(scope="module", params=SIZES, ids=lambda n: f"{n} customers")
def ran(request, tmp_path_factory) -> Ran:
    folder = tmp_path_factory.mktemp(f"firm_{request.param}")
    plan = Plan(request.param, date(2023, 1, 1), AS_OF, seed=8, anonymous_share=0.0, products=20)
    write_csv(plan, folder / "drop")
    firm = parse_firm(
        {
            "firm_key": "simulated",
            "name": "Simulated",
            "source": {"kind": "csv", "uri": (folder / "drop").as_uri(), "layout": "mapped"},
            "timezone": "UTC",
            "currency": "EUR",
            "working_day_period": 1,
            "churn_threshold_days": 90,
            "modules": EVERY,
            "publish": {"webhook": "nowhere"},
        }
    )
    preview.compute(firm, AS_OF, folder)
    return Ran(firm, folder, request.param)


@pytest.mark.parametrize("without", [(), *((module,) for module in EVERY), EVERY], ids="-".join)
def test_every_firm_has_a_report_with_and_without_every_module(ran, without, tmp_path):
    reading = ran.reading(without=without, out=tmp_path)

    assert was_run(reading)
    profile = gather(reading)
    html = write(profile, tmp_path).html.read_text(encoding="utf-8")
    shown = sum(row["customers"] for row in profile["segments"])
    assert shown <= ran.customers
    assert "rfm" in without or (shown > 0) == (ran.customers > 0)
    assert bool(profile["features"]) == (ran.customers > 0)
    assert "</html>" in html


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("without", [(), ("rfm",), ("ltv",), ("churn",), EVERY], ids="-".join)
def test_every_firm_has_a_page_and_lists_with_and_without_every_module(ran, without, language, tmp_path):
    reading = ran.reading(without=without, out=tmp_path)
    reading.firm = ran.firm.model_copy(update={"language": language})

    result = write_result(reading, tmp_path, stem="sales")

    html = result.page.read_text(encoding="utf-8")
    with result.lists.csv.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    figures = result.summary.figures
    assert len(html.encode()) < 1_500_000
    assert "</html>" in html
    shown = re.findall(r'<section id="(\w+)"', html)
    assert set(ALWAYS if rows else ("short", "words")) <= set(shown)
    assert len(rows) == figures["customers"].value <= ran.customers
    if rows:
        assert sum(Decimal(row["total_spend"]) for row in rows) == figures["net_sales"].value
        assert figures["file_sales"].value == sum(
            figures[name].value for name in ("net_sales", "guest_sales", "returns_only") if name in figures
        )
    assert not re.search(r"\{\w+\}|>None<|>nan<", html)

"""Preview (``try``): run the computing steps on one sales file, without warehouse, Airflow or firm row.

The steps are the ones that a firm runs; their records stay in memory.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from include.datasets.extracted import TRANSACTIONS
from include.engines import open_engine
from include.firms import Firm, parse_firm
from include.handoff import Handoff
from include.intake import Answer, Options, Reading, inspect
from include.intake.canonical import write_canonical
from include.models.firm import NO_CURRENCY
from include.modules import ROWS
from include.periods import Month, months_between
from include.run.context import Context
from include.run.in_memory_records import InMemoryRecords, NoWarehouse
from include.run.memory import collecting_new_objects, release_unused
from include.run.stage import WRITERS, function_of
from include.settings import Settings
from include.sources import SourceError, open_source
from include.steps import Step, steps_for

FIRM_KEY = "tried"
MODULES = tuple(module.name for module in ROWS if module.in_preview)


def settings_in(folder: Path) -> Settings:
    """Settings that keep everything in ``folder``; of the environment only FIRMAMENT_MEMORY_MB is used."""
    kept = {name: value for name, value in os.environ.items() if name == "FIRMAMENT_MEMORY_MB"}
    return Settings.read({**kept, "FIRMAMENT_HOME": str(folder)})


def firm_of(
    file: Path, folder: Path, *, options: Options | None = None, **fields: Any
) -> tuple[Firm, Answer]:
    """A firm whose sales are the lines that ``inspect`` read from a file, and the answer.

    SourceError if the file is refused or a question is open.
    """
    reading = inspect(file, options or Options())
    if reading.answer.refusal:
        raise reading.answer.refusal
    if reading.answer.question:
        raise SourceError(f"{reading.answer.question.text}\nDecide with {reading.answer.question.option}")
    assert reading.lines is not None
    return firm_from(reading, folder, name=file.name, **fields), reading.answer


def firm_from(reading: Reading, folder: Path, *, name: str, **fields: Any) -> Firm:
    """A firm of the layout ``mapped`` whose drop folder holds the lines of the file."""
    if reading.lines is None:
        raise SourceError(f"{name} was not read")
    drop = folder / "drop"
    drop.mkdir()
    write_canonical(reading.lines, drop / "sales.parquet")
    return parse_firm(
        {
            "firm_key": FIRM_KEY,
            "name": name,
            "working_day_period": 0,
            "modules": MODULES,
            "currency": reading.answer.currency or NO_CURRENCY,
            # One file is one moment: no later run could compare a holdout with the treated customers.
            "actions": {"holdout_share": 0.0},
            **{field: value for field, value in fields.items() if value is not None},
            "source": {"kind": "csv", "uri": drop.as_uri(), "layout": "mapped"},
        }
    )


def usable_day(firm: Firm, folder: Path, asked: date | None = None) -> date:
    """The as_of to compute for: ``asked``, or the day after the file's last sale.

    SourceError if the file has no sale of a named customer before that day, since nothing can be computed.
    """
    source = open_source(firm, str, scratch=folder / "cache" / FIRM_KEY)
    tomorrow = datetime.now(UTC).astimezone(ZoneInfo(firm.timezone)).date() + timedelta(days=1)
    first = source.first_month(TRANSACTIONS)
    months = list(months_between(first, tomorrow)) if first else []

    def days(month: Month, *, named: bool) -> list[date]:
        """The days with usable sales, or with those that name their customer."""
        found: set[date] = set()
        for batch in source.extract(TRANSACTIONS, month=month, as_of=tomorrow):
            used = pc.is_null(batch.column("rejected_reason"))
            if named:
                is_sale = pc.equal(batch.column("kind"), "sale")
                used = pc.and_(used, pc.and_(is_sale, pc.is_valid(batch.column("customer_id"))))
            found |= set(batch.column("order_date").filter(used).unique().to_pylist()) - {None}
        return sorted(found)

    last = next((found[-1] for month in reversed(months) if (found := days(month, named=False))), None)
    if last is None:
        raise SourceError(f"{firm.name}: no line of it can be used as a sale; see docs/sources.md, 'csv'")
    begin = next((found[0] for month in months if (found := days(month, named=True))), None)
    if begin is None:
        raise SourceError(
            f"{firm.name}: no sale names its customer, and every figure is about customers; "
            "name the column with --map customer_id=THEIRS"
        )
    day = asked or last + timedelta(days=1)
    if day <= begin:
        raise SourceError(
            f"as_of {day}: no customer had bought yet; the first sale of {firm.name} with a customer is of "
            f"{begin}, so --as-of must be {begin + timedelta(days=1)} or later"
        )
    return day


def step_names() -> list[str]:
    """The names of the steps that ``compute`` runs, in order."""
    return [step.name for step in steps_for(MODULES) if step.kind.is_computing]


@collecting_new_objects()
def compute(
    firm: Firm, as_of: date, folder: Path, *, before: Callable[[Step], None] = lambda step: None
) -> tuple[Handoff, InMemoryRecords]:
    """Run the computing steps in this process; their handoffs and their records."""
    settings, records, tokens = settings_in(folder), InMemoryRecords(), itertools.count(1)
    for step in steps_for(firm.modules):
        if not step.kind.is_computing:
            continue
        before(step)
        scratch = folder / "scratch" / step.name
        scratch.mkdir(parents=True)
        handoff = Handoff(settings.root, scratch=scratch, writers=WRITERS)
        engine = open_engine(
            firm.engine, memory_mb=settings.memory_mb, threads=os.cpu_count() or 1, scratch=scratch
        )
        context = Context(
            step, firm, as_of, next(tokens), False, handoff, records, NoWarehouse(), engine, scratch,
            settings, is_preview=True,
        )  # fmt: skip
        with closing(engine):
            function_of(step)(context)
        shutil.rmtree(scratch)
        release_unused(is_frozen=True)
    return Handoff(settings.root, scratch=folder / "scratch", writers=WRITERS), records

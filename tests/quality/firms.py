"""A firm and its slices in a few words: rows written out become the parquet files that the gate reads."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include import quality
from include.datasets import Dataset
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.quality import Report, Slice


@dataclass(frozen=True)
class Firm:
    """As much of a firm as the gate asks for."""

    firm_key: str = "acme"
    timezone: str = "Europe/London"
    working_day_period: int = 1
    quality: Mapping[str, object] = field(default_factory=dict)


def line(number: int, day: date, **changes: object) -> dict[str, object]:
    """A good sale line of four customers and three products; ``changes`` spoil it."""
    return {
        "transaction_id": f"t{number:06d}",
        "line_id": "1",
        "kind": "sale",
        "occurred_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "order_date": day,
        "customer_id": f"c{number % 4}",
        "product_id": f"p{number % 3}",
        "quantity": Decimal(1),
        "gross_amount": Decimal("5.00"),
        "discount_amount": Decimal("0.50"),
        "net_amount": Decimal("4.50"),
        "margin_amount": None,
        "channel": "store",
        "payment_method": None,
        "programme_id": None,
    } | changes


def month(year: int, number: int, *, per_day: int = 4, until: int = 31) -> list[dict[str, object]]:
    """A month of good lines, as many each day, up to and with the day ``until``."""
    first = date(year, number, 1)
    days = [first + timedelta(days=n) for n in range(until) if (first + timedelta(days=n)).month == number]
    return [line(n * per_day + i, day) for n, day in enumerate(days) for i in range(per_day)]


def customer(key: str, **changes: object) -> dict[str, object]:
    """A good customer; ``changes`` spoil it."""
    blank = dict.fromkeys(CUSTOMERS.schema.names)
    return blank | {"customer_id": key, "email": "ada@example.org", "full_name": "Ada"} | changes


def movement(number: int, day: date, **changes: object) -> dict[str, object]:
    """A good loyalty movement; ``changes`` spoil it."""
    return {
        "movement_id": f"m{number:04d}",
        "occurred_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "order_date": day,
        "customer_id": "c0",
        "programme_id": None,
        "transaction_id": None,
        "points_earned": Decimal(10),
        "points_used": Decimal(0),
    } | changes


def part(
    folder: Path,
    dataset: Dataset,
    text: str,
    rows: Sequence[Mapping[str, object]],
    schema: pa.Schema | None = None,
) -> Slice:
    """A slice of these rows, in one file; ``schema`` where it is to differ from the contract's."""
    path = folder / f"{dataset.name}-{text}.parquet"
    # Nullable, so that a fault the handoff would refuse can still be planted.
    loose = schema or pa.schema([f.with_nullable(True) for f in dataset.schema])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=loose), path)
    return Slice(text, len(rows), [path])


def references(folder: Path, *, products: int = 3) -> dict[str, list[Path]]:
    """Customers c0 to c3 and products p0, p1, ..."""
    blank = dict.fromkeys(PRODUCTS.schema.names)
    people = part(folder, CUSTOMERS, "reference", [customer(f"c{n}") for n in range(4)])
    goods = part(folder, PRODUCTS, "reference", [blank | {"product_id": f"p{n}"} for n in range(products)])
    return {"customers": people.files, "products": goods.files}


class _Defects(logging.Handler):
    """Keeps what the gate logs."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def check(dataset: Dataset, **arguments: Any) -> Report:
    """The gate's report, after both ways to it were compared: by aggregates, and by the whole suite."""
    log, defects = logging.getLogger("include.quality"), _Defects()
    log.addHandler(defects)
    try:
        gate = quality.check(dataset, **arguments)
        whole = quality.check(dataset, **arguments, whole_suite=True)
    finally:
        log.removeHandler(defects)
    assert defects.messages == []
    assert gate.results == whole.results
    assert counts(gate) == counts(whole)
    assert {document["meta"]["built_from"] for document in whole.documents.values()} <= {"great_expectations"}
    return gate


def counts(report: Report) -> dict[str, dict[str, Any]]:
    """The validation results of a report, without the marks of what they were built from."""
    plain = copy.deepcopy(dict(report.documents))
    for document in plain.values():
        del document["meta"]["built_from"]
        for result in document["results"]:
            del result["expectation_config"]["meta"]["built_from"]
    return plain


def report_on(
    folder: Path,
    *months: tuple[str, Sequence[Mapping[str, object]]],
    as_of: date = date(2026, 11, 1),
    history: Sequence[Mapping[str, object]] = (),
    firm: Firm | None = None,
    dataset: Dataset = TRANSACTIONS,
    products: int = 3,
) -> Report:
    """The gate's report on these slices."""
    return check(
        dataset,
        firm=firm or Firm(),
        as_of=as_of,
        slices=[part(folder, dataset, text, rows) for text, rows in months],
        references=references(folder, products=products),
        history=history,
    )


def past(report: Report, as_of: date) -> list[dict[str, object]]:
    """What a warehouse would hand back later: rows and profile of each slice of a report."""
    return [
        {"slice": r.slice, "as_of": as_of, "rows": rows, "profile": r.observed}
        for r in report.results
        if r.expectation == "profile"
        for rows in [row_count(report, r.slice)]
    ]


def row_count(report: Report, text: str) -> int:
    """Rows of a slice, read from what its volume rule observed."""
    (told,) = [r.observed for r in report.results if r.expectation == "volume" and r.slice == text]
    return int(told.split(" rows")[0].replace(",", ""))


def failures(report: Report) -> dict[str, bool]:
    """Failed rules and whether they stop the firm."""
    return {r.expectation: r.is_critical for r in report.results if not r.passed}


__all__ = ["CUSTOMERS", "LOYALTY_MOVEMENTS", "PRODUCTS", "TRANSACTIONS", "Firm", "check"]

"""Firms with windows of training or backtesting without a row: each module says so and the run goes on."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from include.datasets import Dataset
from include.datasets.churn import CHURN_MODEL, CHURN_RISK
from include.datasets.computed import CUSTOMER_SUMMARY, RFM
from include.datasets.value import LTV
from include.handoff import Handoff, Slot
from include.run import preview
from include.slices import Slice

CASES = Path(__file__).parents[3] / "shared" / "data" / "cases"
AS_OF = date(2025, 1, 1)
Sale = tuple[str, date, str, float]

# The lowest limits that a firm may set, so that as much code as possible runs on as little data as possible.
EAGER = {
    "rfm": {"min_customers": 5},
    "churn": {"min_customers": 50, "min_repeat_buyers": 20, "min_events": 10, "most_cutoffs": 3},
    "ltv": {"min_customers": 50, "min_repeat_buyers": 20},
}


def sales(customers: int, *spans: tuple[date, date], each: int = 3, seed: int = 5) -> list[Sale]:
    """``each`` sales of every customer, at random days of each span (last day included)."""
    rng = random.Random(seed)
    return [
        (f"{first}-{n}-{k}", first + timedelta(days=rng.randint(0, (last - first).days)), f"c{n:03}", amount)
        for n in range(customers)
        for first, last in spans
        for k in range(each)
        for amount in [float(rng.randint(5, 90))]
    ]


SMALL_FIRMS: dict[str, list[Sale]] = {
    "dormant": sales(60, (date(2024, 1, 1), date(2024, 3, 31))),
    "closed season": sales(
        60, (date(2023, 6, 1), date(2023, 8, 31)), (date(2024, 6, 1), date(2024, 8, 31))
    ),
    "a gap": sales(60, (date(2022, 11, 1), date(2023, 1, 31)), (date(2024, 11, 1), date(2024, 12, 31))),
    "only returns lately": [
        *sales(60, (date(2023, 1, 1), date(2024, 5, 31))),
        *((f"r{n}", date(2024, 9, 1), f"c{n:03}", -5.0) for n in range(60)),
    ],
    "one customer, one sale": [("1", date(2024, 12, 31), "ann", 10.0)],
    "one customer, three years": sales(1, (date(2022, 1, 1), date(2024, 12, 31)), each=60),
    "one day": sales(60, (date(2024, 12, 31), date(2024, 12, 31)), each=1),
    "one order each": sales(60, (date(2023, 1, 1), date(2024, 12, 31)), each=1),
    "all free": [(order, day, who, 0.0) for order, day, who, _ in
                 sales(60, (date(2023, 1, 1), date(2024, 12, 31)))],
}  # fmt: skip


def write(folder: Path, rows: Iterable[Sale]) -> Path:
    path = folder / "sales.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["transaction_id", "occurred_at", "customer_id", "net_amount"])
        writer.writerows(rows)
    return path


def computed(folder: Path, file: Path, as_of: date, **fields: object) -> tuple[Handoff, dict[str, str]]:
    """Run every computing step on the file; the handoff, and the reason of each module's status."""
    home = folder / "home"
    home.mkdir()
    row = {"timezone": "UTC", "currency": "EUR", "churn_threshold_days": 90, **fields}
    firm, _ = preview.firm_of(file, home, **row)
    handoff, said = preview.compute(firm, as_of, home)
    return handoff, said.reasons


def table(handoff: Handoff, dataset: Dataset, as_of: date) -> pa.Table:
    batches = handoff.read(Slot(preview.FIRM_KEY, dataset, Slice(as_of)))
    return pa.Table.from_batches(batches, schema=dataset.schema)


@pytest.mark.parametrize("rows", SMALL_FIRMS.values(), ids=SMALL_FIRMS)
def test_every_small_firm_is_computed_whole(rows, tmp_path):
    file = write(tmp_path, rows)
    customers = {who for _, _, who, amount in rows if amount >= 0}

    handoff, reasons = computed(tmp_path, file, AS_OF, **EAGER)

    found = {
        dataset.name: set(table(handoff, dataset, AS_OF)["customer_id"].to_pylist())
        for dataset in (CUSTOMER_SUMMARY, RFM, CHURN_RISK, LTV)
    }
    assert found == dict.fromkeys(found, customers)
    assert {"churn", "ltv", "rfm"} <= set(reasons)
    assert all(reasons.values())
    trained = handoff.latest_tokens(preview.FIRM_KEY, CHURN_MODEL)
    assert set(trained) == {Slice(AS_OF)}  # no model is in production, so no earlier one is trained


@pytest.mark.parametrize(
    ("case", "as_of", "fields"),
    [
        ("dormant", date(2025, 1, 1), {}),
        ("returns", date(2025, 1, 1), {}),
        ("short", date(2025, 2, 15), {}),
        ("subs", date(2025, 4, 1), {"churn_threshold_days": 45}),
        ("dec/b150000", date(2025, 3, 1), {}),
    ],
)
def test_the_small_firms_that_failed_are_computed_whole(case, as_of, fields, tmp_path):
    file = CASES / case / "sales.csv"
    if not file.is_file():
        pytest.skip(f"{case} is not in ../shared/data/cases")

    handoff, reasons = computed(tmp_path, file, as_of, **fields)

    customers = table(handoff, CUSTOMER_SUMMARY, as_of)["customer_id"]
    assert customers.length() > 0
    assert table(handoff, LTV, as_of)["customer_id"].equals(customers)
    assert table(handoff, CHURN_RISK, as_of)["customer_id"].equals(customers)
    assert {"churn", "ltv", "rfm"} <= set(reasons)

"""Small made-up firms for the churn tests: customers with a rhythm, some of whom fall silent."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from bench.sales import of_lines
from include.datasets.extracted import TRANSACTIONS
from include.engines import open_engine
from include.training import churn as training

ANCHOR = date(2025, 7, 1)
HORIZON = 30


def firm(**changes) -> SimpleNamespace:
    """A firm with the settings that churn reads; ``changes`` are of ``firm.churn``."""
    churn = {
        "most_cutoffs": 4,
        "sample_customers": 20_000,
        "min_customers": 200,
        "min_repeat_buyers": 50,
        "min_events": 30,
        "min_tenure_days": 0,
        "decision_threshold": 0.5,
        "category_bounds": (25, 50, 75),
        "band_bounds": (0.6, 0.95),
        "retrain_months": 1,
    }
    return SimpleNamespace(
        churn_threshold_days=HORIZON, language="en", timezone="UTC", churn=SimpleNamespace(**churn | changes)
    )


def write_sales(rows: list[tuple], folder: Path) -> dict:
    """Files of (customer, day, amount, channel or nothing) sales, and what is computed from them."""
    lines = [
        {
            "transaction_id": f"{customer}-{day}",
            "line_id": "1",
            "kind": "sale",
            "occurred_at": datetime.combine(day, time(12), tzinfo=UTC),
            "order_date": day,
            "customer_id": customer,
            "product_id": None,
            "quantity": Decimal(1),
            "gross_amount": Decimal(amount),
            "discount_amount": Decimal(0),
            "net_amount": Decimal(amount),
            "margin_amount": None,
            "channel": channel[0] if channel else None,
            "payment_method": None,
            "programme_id": None,
        }
        for customer, day, amount, *channel in sorted(rows)
    ]
    return of_lines(pa.Table.from_pylist(lines, schema=TRANSACTIONS.schema), folder)


def shop(folder: Path, *, customers: int = 600, seed: int = 3) -> dict:
    """Customers who buy at a pace of their own in 2025 and leave at some point; one in five buys once."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        day = date(2025, 1, 1) + timedelta(days=int(random.integers(0, 45)))
        gap = float(random.gamma(3.0, 4.0)) + 2.0
        leaves = day + timedelta(days=int(random.exponential(150.0)))
        rows.append((f"c{number:04}", day, "10.00"))
        if number % 5 == 0:
            continue
        while True:
            day += timedelta(days=1 + int(random.exponential(gap)))
            if day > leaves or day > date(2025, 9, 1):
                break
            rows.append((f"c{number:04}", day, str(int(random.integers(5, 50)))))
    return write_sales(rows, folder)


def two_channels(folder: Path, *, customers: int, closes: bool, seed: int = 4) -> dict:
    """Customers of two channels who leave at some point.

    With ``closes``, the channel of a customer's last order is overwritten three weeks after they left, before
    the anchor.
    """
    random = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        day = date(2025, 1, 1) + timedelta(days=int(random.integers(0, 45)))
        gap, web = float(random.gamma(3.0, 4.0)) + 2.0, float(random.random())
        leaves = day + timedelta(days=int(random.exponential(150.0)))
        own = []
        while not own or (number % 5 and day <= min(leaves, date(2025, 9, 1))):
            own.append((f"c{number:04}", day, "10.00", "web" if random.random() < web else "store"))
            day += timedelta(days=1 + int(random.exponential(gap)))
        if closes and leaves + timedelta(days=21) < ANCHOR:
            own[-1] = (*own[-1][:3], "closed")
        rows += own
    return write_sales(rows, folder)


def stacked(files: dict, folder: Path, *, of, anchor: date = ANCHOR) -> pa.Table:
    """churn_training of an anchor."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine("duckdb", memory_mb=1024, threads=1, scratch=folder)
    params = {"timezone": of.timezone, "churn_threshold_days": of.churn_threshold_days}
    batches = training.stack(engine, files, anchor=anchor, firm=of, params=params, scratch=folder / "work")
    return pa.Table.from_batches(batches, schema=training.CHURN_TRAINING.schema)


def features(files: dict, folder: Path, *, as_of: date, until: date | None = None) -> pa.Table:
    """customer_features as of a day; ``until`` takes what happened from that day on away beforehand."""
    engine = open_engine("duckdb", memory_mb=1024, threads=1, scratch=folder)
    sample = training.sample_of(
        engine, files, until=until or date(2100, 1, 1), below="g", scratch=folder / "all"
    )
    return training.features_as_of(engine, sample, as_of, {"timezone": "UTC"}, folder)

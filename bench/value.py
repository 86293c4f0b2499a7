"""How often value's 80 % intervals hold on simulated firms of three kinds: customers, and firms' totals.

Each firm is trained at an anchor as a real one would be, and compared with what its customers do afterwards;
totals are of each window of the backtest too. The allowance is five points to either side of 80 %, so
``share_of_limit`` is the distance over five points; ``ours_s`` is the time a firm takes.
"""

import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from bench import sales
from bench.rows import Row
from include import sql_text
from include.datasets.computed import CUSTOMER_DAYS
from include.datasets.value import LTV
from include.engines import open_engine
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import model as ltv
from include.models.ltv.intervals import LEVEL
from include.models.ltv.windows import windows_of
from include.simulator import Plan

FIRMS = 30
ALLOWED = 0.05
START, ANCHOR, END = date(2024, 1, 1), date(2026, 1, 1), date(2027, 1, 1)
GROCER = (1.1, 9.0, 0.6, 9.0)
KINDS = {
    "like CDNOW": {},
    "a grocer": {"counts": GROCER},
    "with seasons": {"counts": GROCER, "season_strength": 0.3},
}
FIRM = SimpleNamespace(
    churn_threshold_days=30,
    ltv=SimpleNamespace(
        annual_discount_rate=1e-9,
        margin_share=1.0,
        min_customers=200,
        min_repeat_buyers=50,
        tier_bounds=(20, 40, 70, 90),
    ),
)


def rows() -> Iterator[Row]:
    """Customers and totals, of all kinds together."""
    found, started = [], time.process_time()
    for kind in KINDS:
        for seed in range(101, 101 + FIRMS):
            with tempfile.TemporaryDirectory() as folder:
                found.append(held(kind, seed, Path(folder)))
    each = (time.process_time() - started) / len(found)
    customers = np.concatenate([firm.customers for firm in found])
    totals = {
        kind: np.array([firm.totals for firm in found[at * FIRMS : (at + 1) * FIRMS]]).mean()
        for at, kind in enumerate(KINDS)
    }
    said = ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in totals.items())
    yield _row(
        f"customers in the year after the anchor, {len(customers):,} open intervals", customers.mean(), each
    )
    yield _row(
        f"totals of {len(found)} firms, five each ({said})", float(np.mean(list(totals.values()))), each
    )


def _row(name: str, share: float, seconds: float) -> Row:
    return Row(
        name=f"80 % intervals held {100 * share:.1f} % of {name}",
        ours_s=seconds,
        limit=ALLOWED,
        share_of_limit=abs(share - LEVEL) / ALLOWED,
    )


class Held(NamedTuple):
    """What a firm's 80 % intervals held: of open ones of customers in the year after the anchor, and totals.

    Totals are of the windows of the backtest, and of the horizon and the year after the anchor.
    """

    customers: np.ndarray
    totals: list[bool]


def held(kind: str, seed: int, folder: Path, *, customers: int = 600) -> Held:
    """Train a firm of that kind at the anchor and compare its intervals with what then happens."""
    plan = Plan(customers=customers, start=START, end=END, seed=seed, anonymous_share=0.0, **KINDS[kind])
    files = sales.simulated(plan, folder)
    table = sales.value_histories(files, folder, anchor=ANCHOR)
    model = ltv.fit(table, firm=FIRM, as_of=ANCHOR)
    now = windows_of(table)[-1].rows.to_batches()[0]
    valued = LTV.conform(
        ltv.predict(now, ltv.prepare(model, firm=FIRM, as_of=ANCHOR), firm=FIRM, as_of=ANCHOR)
    )
    parts = ltv_artefact.read(model)
    header = parts["header"]
    totals = [
        bool(window["metrics"]["total_inside"])
        for window in parts["backtest"]
        if window["candidate"] == header["method"]
    ]
    for name, days in (("horizon", header["horizon_days"]), ("1_year", 365)):
        happened = spent(files, folder, valued["customer_id"], days=days)
        expected, deviation = (
            _floats(valued, f"{what}_{name}") for what in ("expected_spend", "spend_deviation")
        )
        parameter_se, reach = _floats(valued, f"total_doubt_{name}")[0], _floats(valued, "total_reach")[0]
        room = reach * np.sqrt(np.sum(deviation**2) + (parameter_se * expected.sum()) ** 2)
        totals.append(bool(abs(happened.sum() - expected.sum()) <= room))
    low, high = (_floats(valued, f"predicted_clv_1_year_{end}") for end in ("low", "high"))
    inside = (low - 0.01 <= happened) & (happened <= high + 0.01)  # money is rounded
    return Held(inside[high > 0], totals)


def spent(files: dict, folder: Path, customers: pa.ChunkedArray, *, days: int) -> np.ndarray:
    """Net spend of these customers in the days after the anchor."""
    engine = open_engine("duckdb", memory_mb=512, threads=1, scratch=folder)
    sql = sql_text.read("query", "value_holdout")
    until = {"as_of": ANCHOR, "until": ANCHOR + timedelta(days=days)}
    found = pa.Table.from_batches(engine.query(sql, [(CUSTOMER_DAYS, files[CUSTOMER_DAYS])], until))
    by_customer = dict(zip(found["customer_id"].to_pylist(), found["holdout_spend"].to_pylist(), strict=True))
    return np.array([float(by_customer.get(customer, 0)) for customer in customers.to_pylist()])


def _floats(rows: pa.RecordBatch, name: str) -> np.ndarray:
    return rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False)

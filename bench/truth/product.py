"""The product's own training and scoring of one firm on one day, from files, without a warehouse."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from bench.sales import Files
from include import sql_text
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY
from include.datasets.extracted import TRANSACTIONS
from include.datasets.value import LTV, VALUE_HISTORIES
from include.engines import open_engine
from include.firms import Firm, parse_firm
from include.models.churn import model as churn
from include.models.ltv import model as ltv
from include.periods import anchor_of
from include.training import churn as churn_rows
from include.training import ltv as value_rows

MEMORY_MB = 1024


class Scored(NamedTuple):
    """Rows of churn_risk or ltv, the fitted model, and the CPU seconds of training and scoring.

    ``uncalibrated`` are rows of ltv whose intervals have no conformal factors.
    """

    rows: pa.Table
    model: pa.Table
    seconds: float
    uncalibrated: pa.Table | None = None


def firm_of(name: str, *, churn_threshold_days: int, timezone: str = "UTC") -> Firm:
    """A firm's row with its defaults; amounts are revenue, nearly undiscounted."""
    return parse_firm(
        {
            "firm_key": name,
            "name": name,
            "source": {"kind": "csv", "uri": "file:///data"},
            "timezone": timezone,
            "currency": "EUR",
            "working_day_period": 0,
            "churn_threshold_days": churn_threshold_days,
            "ltv": {"annual_discount_rate": 1e-9, "margin_share": 1.0},
        }
    )


def churn_of(files: Files, firm: Firm, *, as_of: date, every_months: int, folder: Path) -> Scored:
    """Train churn at the anchor and score ``as_of``."""
    started = time.process_time()
    anchor, params = anchor_of(as_of, every_months=every_months), _params(firm)
    engine = open_engine("duckdb", memory_mb=MEMORY_MB, threads=1, scratch=folder)
    rows = churn_rows.stack(engine, files, anchor=anchor, firm=firm, params=params, scratch=folder / "rows")
    training = pa.Table.from_batches(rows, schema=churn_rows.CHURN_TRAINING.schema)
    model = churn.fit(training, firm=firm, as_of=anchor)
    past = churn_rows.sample_of(engine, files, until=as_of, below="g", scratch=folder / "past")
    features = churn_rows.features_as_of(engine, past, as_of, params, folder)
    ready = churn.prepare(model, firm=firm, as_of=as_of)
    found = [churn.predict(batch, ready, firm=firm, as_of=as_of) for batch in features.to_batches()]
    return Scored(pa.Table.from_batches(found), model, time.process_time() - started)


def value_of(files: Files, firm: Firm, *, as_of: date, every_months: int, folder: Path) -> Scored:
    """Train value at the anchor and score ``as_of``."""
    started = time.process_time()
    anchor, params = anchor_of(as_of, every_months=every_months), _params(firm)
    engine = open_engine("duckdb", memory_mb=MEMORY_MB, threads=1, scratch=folder)
    rows = value_rows.stack(engine, files, anchor=anchor, firm=firm, params=params, scratch=folder / "rows")
    model = ltv.fit(pa.Table.from_batches(rows, schema=VALUE_HISTORIES.schema), firm=firm, as_of=anchor)
    days = [(CUSTOMER_DAYS, files[CUSTOMER_DAYS]), (TRANSACTIONS, [])]
    sql = sql_text.read("query", "customer_summary")
    ready = ltv.prepare(model, firm=firm, as_of=as_of)
    batches = [
        CUSTOMER_SUMMARY.conform(batch) for batch in engine.query(sql, days, {**params, "as_of": as_of})
    ]

    def predicted(by: ltv.Params) -> pa.Table:
        rows = [LTV.conform(ltv.predict(batch, by, firm=firm, as_of=as_of)) for batch in batches]
        return pa.Table.from_batches(rows)

    found = predicted(ready)
    seconds = time.process_time() - started
    plain = predicted(ready._replace(model=ready.model._replace(conformal={})))
    return Scored(found, model, seconds, plain)


def _params(firm: Firm) -> dict[str, object]:
    return {
        "timezone": firm.timezone,
        "churn_threshold_days": firm.churn_threshold_days,
        "rfm_window_days": firm.rfm.window_days,
    }

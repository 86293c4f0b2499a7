"""A firm with the settings that value reads, and its histories."""

from types import SimpleNamespace

import pyarrow as pa

from include.datasets.value import VALUE_HISTORIES
from include.engines import open_engine
from include.training import ltv as value_training


def firm(**changes) -> SimpleNamespace:
    """``changes`` are of ``firm.ltv``."""
    settings = {
        "annual_discount_rate": 0.1,
        "margin_share": 0.3,
        "min_customers": 200,
        "min_repeat_buyers": 50,
    }
    return SimpleNamespace(churn_threshold_days=30, ltv=SimpleNamespace(**settings | changes))


def histories(files, folder, *, anchor) -> pa.Table:
    """value_histories of an anchor."""
    engine = open_engine("duckdb", memory_mb=1024, threads=2, scratch=folder)
    params = {"rfm_window_days": 365}
    rows = value_training.stack(
        engine, files, anchor=anchor, firm=None, params=params, scratch=folder / "work"
    )
    return pa.Table.from_batches(rows, schema=VALUE_HISTORIES.schema)

"""A firm's handoffs, written by hand: what a test names of a row counts, the rest is zero or empty."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.datasets import Dataset
from include.engines import open_engine
from include.firms import parse_firm
from include.handoff import Handoff, Slot
from include.periods import Month
from include.report.profile import gather
from include.report.reading import Reading
from include.slices import Slice

AS_OF = date(2025, 3, 1)
ROW = {
    "firm_key": "acme",
    "name": "Acme </script><b>& Sons",
    "source": {"kind": "csv", "uri": "file:///nowhere", "layout": "cdnow"},
    "timezone": "Europe/London",
    "currency": "GBP",
    "working_day_period": 1,
    "churn_threshold_days": 60,
    "retrain_months": 1,
}


class Left:
    """What a firm's steps left."""

    def __init__(self, root: str, scratch: Path, as_of: date = AS_OF) -> None:
        self.as_of = as_of
        self.firm = parse_firm(ROW)
        self.handoff = Handoff(root, scratch=scratch)
        self.scratch = scratch
        self._token = 0

    def put(self, dataset: Dataset, *rows: dict, month: Month | None = None) -> None:
        """Rows of a dataset; those of events lie in one month, and are told in the index."""
        self._token += 1
        whole = [{f.name: None if f.nullable else _nothing(f) for f in dataset.schema} | row for row in rows]
        in_order = [(name, "ascending") for name in dataset.grain]
        batch = pa.RecordBatch.from_pylist(whole, schema=dataset.schema).sort_by(in_order)
        slot = Slot("acme", dataset, Slice(month or self.as_of))
        manifest = self.handoff.write(slot, [batch], token=self._token, as_of=self.as_of)
        if month is not None:
            self.handoff.write_month_list("acme", dataset, self.as_of, {month: manifest}, token=self._token)

    def profile(self) -> dict:
        engine = open_engine("duckdb", memory_mb=256, threads=1, scratch=self.scratch)
        return gather(Reading(self.firm, AS_OF, self.handoff, engine))


def _nothing(field: pa.Field) -> object:
    if pa.types.is_string(field.type):
        return ""
    if pa.types.is_boolean(field.type):
        return False
    if pa.types.is_date(field.type):
        return date(2025, 1, 1)
    if pa.types.is_timestamp(field.type):
        return datetime(2025, 1, 1, tzinfo=UTC)
    return Decimal(0) if pa.types.is_decimal(field.type) else 0


@pytest.fixture
def left(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Left((tmp_path / "handoffs").as_uri(), scratch)

"""Train and score churn and value at one anchor, and print the CPU seconds of each part as JSON.

``cpu.py`` runs this script with the code of two commits, so it uses only what both have.
"""

import json
import sys
import time
from datetime import date
from importlib import resources
from pathlib import Path

import lightgbm  # noqa: F401 - its import takes seconds, which are not measured
import pyarrow as pa

import include
from include.datasets.churn import CHURN_TRAINING
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY
from include.datasets.engagement import INTERACTIONS
from include.datasets.extracted import LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.datasets.value import VALUE_HISTORIES
from include.engines import open_engine
from include.firms import Firm
from include.models.churn import model as churn
from include.models.ltv import model as ltv
from include.training import churn as churn_rows
from include.training import ltv as value_rows

DATASETS = (TRANSACTIONS, PRODUCTS, LOYALTY_MOVEMENTS, INTERACTIONS, CUSTOMER_DAYS)


class Laps:
    """CPU seconds by part."""

    def __init__(self) -> None:
        """Start the clock."""
        self.seconds: dict[str, float] = {}
        self._started = time.process_time()

    def end(self, part: str) -> None:
        """Give the time since the last call to this part."""
        now = time.process_time()
        self.seconds[part], self._started = now - self._started, now


def main(asked: dict) -> dict[str, float]:
    """Train and score as ``asked`` says: files by dataset, anchor, churn_days, timezone, scratch."""
    files = {dataset: [Path(file) for file in asked["files"].get(dataset.name, [])] for dataset in DATASETS}
    anchor, scratch = date.fromisoformat(asked["anchor"]), Path(asked["scratch"])
    scratch.mkdir(parents=True)
    firm = Firm.model_validate(
        {
            "firm_key": "bench",
            "name": "bench",
            "source": {"kind": "csv", "uri": "file:///data"},
            "timezone": asked["timezone"],
            "currency": "EUR",
            "working_day_period": 0,
            "churn_threshold_days": asked["churn_days"],
        }
    )
    params = {
        "timezone": firm.timezone,
        "churn_threshold_days": firm.churn_threshold_days,
        "rfm_window_days": firm.rfm.window_days,
        "as_of": anchor,
    }
    engine = open_engine("duckdb", memory_mb=1024, threads=1, scratch=scratch)
    laps = Laps()
    rows = churn_rows.stack(engine, files, anchor=anchor, firm=firm, params=params, scratch=scratch / "churn")
    training = pa.Table.from_batches(rows, schema=CHURN_TRAINING.schema)
    laps.end("churn_rows")
    model = churn.fit(training, firm=firm, as_of=anchor)
    laps.end("churn_fit")
    past = churn_rows.sample_of(engine, files, until=anchor, below="g", scratch=scratch / "past")
    features = churn_rows.features_as_of(engine, past, anchor, params, scratch)
    laps.end("features")
    ready = churn.prepare(model, firm=firm, as_of=anchor)
    for batch in features.to_batches():
        churn.predict(batch, ready, firm=firm, as_of=anchor)
    laps.end("churn_predict")
    rows = value_rows.stack(engine, files, anchor=anchor, firm=firm, params=params, scratch=scratch / "value")
    histories = pa.Table.from_batches(rows, schema=VALUE_HISTORIES.schema)
    laps.end("value_rows")
    model = ltv.fit(histories, firm=firm, as_of=anchor)
    laps.end("value_fit")
    valued = ltv.prepare(model, firm=firm, as_of=anchor)
    # The older tree has no include.sql_text.
    file = resources.files(include) / "sql" / "query" / "customer_summary.sql"
    sql = file.read_text()
    read = [(CUSTOMER_DAYS, files[CUSTOMER_DAYS]), (TRANSACTIONS, [])]
    for batch in engine.query(sql, read, params):
        ltv.predict(CUSTOMER_SUMMARY.conform(batch), valued, firm=firm, as_of=anchor)
    laps.end("value_predict")
    return laps.seconds


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))

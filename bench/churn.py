"""Churn: the speed of TreeSHAP, and the memory of scoring a million customers, on CDNOW's features.

The trees have the maximum number and size that churn trains. CDNOW's customers are repeated with new ids to
make a million; each is scored with factors, from file to file, in a separate process.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import sales
from bench.rows import Row, peak_mb, seconds
from include.datasets.churn import CHURN_RISK
from include.datasets.features import CUSTOMER_FEATURES
from include.engines import open_engine
from include.models.churn import artefact as churn_artefact
from include.models.churn import calibration, trees
from include.models.churn import model as churn
from include.training import churn as training

CUSTOMERS = 1_000_000
EXPLAINED = 50_000
ROUNDS = 3
ROWS_A_SECOND = 10_000
PEAK_LIMIT_MB = 1000.0
BATCH = 65_536
AS_OF = date(1998, 4, 1)
FIRM = SimpleNamespace(
    churn_threshold_days=90,
    language="en",
    churn=SimpleNamespace(
        min_tenure_days=0, decision_threshold=0.5, category_bounds=(25, 50, 75), band_bounds=(0.6, 0.95)
    ),
)


def rows() -> Iterator[Row]:
    """One row for each of the two limits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        features, model = _trained(folder)
        learned = trees.Trees(churn_artefact.read(model)["trees"])
        x = np.resize(trees.matrix(features, learned.features), (EXPLAINED, len(learned.features)))
        explain = learned.contributions
        explain(x[:1000])
        took = statistics.median(seconds(lambda: explain(x), time.process_time) for _ in range(ROUNDS))
        allowed = EXPLAINED / ROWS_A_SECOND
        yield Row(
            name=f"TreeSHAP, {EXPLAINED:,} customers, {trees.TREE_COUNT} trees, one core",
            ours_s=took,
            limit=allowed,
            share_of_limit=took / allowed,
        )
        _repeat(features, folder / "features.parquet")
        pq.write_table(model, folder / "model.parquet")
        del features
        command = [sys.executable, "-m", "bench.churn", str(folder)]
        done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        yield Row(
            name=f"score and explain {done['rows']:,} customers, file to file, own process",
            ours_s=done["seconds"],
            peak_mb=done["peak_mb"],
            limit=PEAK_LIMIT_MB,
            share_of_limit=done["peak_mb"] / PEAK_LIMIT_MB,
        )


def _trained(folder: Path) -> tuple[pa.Table, pa.Table]:
    """CDNOW's features 90 days before the end of the data, and trees trained on those 90 days."""
    files = sales.cdnow(folder)
    engine = open_engine("duckdb", memory_mb=2048, threads=1, scratch=folder)
    params = {"timezone": "UTC", "churn_threshold_days": FIRM.churn_threshold_days}
    features = training.features_as_of(engine, files, AS_OF, params, folder)
    labels = training.labels_of(engine, files, AS_OF, params, features, folder)
    churned = labels["is_churned"].to_numpy().astype(np.bool_)
    names = trees.usable_features(features)
    x = trees.matrix(features, names)
    text = trees.train(x, churned, names)
    parts = {
        "trees": text,
        "calibration": list(calibration.fit_platt(trees.Trees(text).scores(x), churned)),
        "spend_cuts": [10.0, 50.0],
    }
    header = {"anchor": AS_OF.isoformat(), "horizon_days": 90, "method": "lightgbm", "parts": sorted(parts)}
    return features, churn_artefact.write({**parts, "header": header})


def _repeat(features: pa.Table, file: Path) -> None:
    """Write a million customers: CDNOW's, repeated with new ids."""
    left, copy = CUSTOMERS, 0
    with pq.ParquetWriter(file, CUSTOMER_FEATURES.schema) as writer:
        while left:
            some = features.slice(0, min(left, features.num_rows))
            ids = pa.array([f"{copy:02}-{key}" for key in some["customer_id"].to_pylist()])
            writer.write_table(some.set_column(0, CUSTOMER_FEATURES.schema.field(0), ids))
            left, copy = left - some.num_rows, copy + 1


def _score(folder: Path) -> dict[str, float]:
    """Score the folder's features with its model, batch by batch."""
    start, scored = time.process_time(), 0
    params = churn.prepare(pq.read_table(folder / "model.parquet"), firm=FIRM, as_of=AS_OF)
    file = pq.ParquetFile(folder / "features.parquet", pre_buffer=False)  # as the handoff does
    with pq.ParquetWriter(folder / "risk.parquet", CHURN_RISK.schema) as writer:
        for batch in file.iter_batches(BATCH, use_threads=False):
            writer.write_batch(CHURN_RISK.conform(churn.predict(batch, params, firm=FIRM, as_of=AS_OF)))
            scored += batch.num_rows
    return {"rows": scored, "seconds": time.process_time() - start, "peak_mb": peak_mb()}


if __name__ == "__main__":
    print(json.dumps(_score(Path(sys.argv[1]))))

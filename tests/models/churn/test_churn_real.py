"""Out of time on real sales. The figures to reach are those of a prototype, measured on the same splits."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from bench import sales
from include.engines import open_engine
from include.models.churn import artefact as churn_artefact
from include.models.churn import evaluation as churn_evaluation
from include.models.churn import model as churn
from include.periods import anchor_of
from include.training import churn as training
from tests.models.churn import cases


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("data", "zone", "horizon", "as_of", "least_auc", "most_ece"),
    [
        ("complete_journey", "America/New_York", 30, date(2017, 12, 1), 0.887, 0.025),
        ("cdnow", "UTC", 90, date(1998, 4, 2), 0.836, 0.025),
    ],
)
def test_churn_out_of_time(data, zone, horizon, as_of, least_auc, most_ece, tmp_path):
    files = getattr(sales, data)(tmp_path)
    firm = cases.firm(most_cutoffs=9, min_customers=500, min_events=50)
    firm.churn_threshold_days = horizon
    params = {"timezone": zone, "churn_threshold_days": horizon}
    engine = open_engine("duckdb", memory_mb=2048, threads=2, scratch=tmp_path)
    anchor = anchor_of(as_of, every_months=1)
    rows = training.stack(engine, files, anchor=anchor, firm=firm, params=params, scratch=tmp_path / "work")
    table = pa.Table.from_batches(rows, schema=training.CHURN_TRAINING.schema)

    model = churn.fit(table, firm=firm, as_of=anchor)

    past = training.sample_of(engine, files, until=as_of, below="g", scratch=tmp_path / "past")
    features = training.features_as_of(engine, past, as_of, params, tmp_path)
    labels = training.labels_of(engine, files, as_of, params, features, tmp_path)
    happened = labels["is_churned"].to_numpy().astype(np.bool_)
    scoring = churn.prepare(model, firm=firm, as_of=as_of)
    risk = [churn.predict(batch, scoring, firm=firm, as_of=as_of) for batch in features.to_batches()]
    probability = pa.Table.from_batches(risk)["churn_probability"].to_numpy()
    parts = churn_artefact.read(model)
    assert all(check["passed"] for check in parts["sentinel"]), parts["sentinel"]
    assert parts["header"]["method"] == "lightgbm", parts["header"]["reason"]
    assert churn_evaluation.auc(probability, happened) >= least_auc
    assert churn_evaluation.calibration_error(probability, happened) <= most_ece

"""Profile of a firm's data and features at ``as_of``, as a nested dictionary of plain values."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow.compute as pc

from include.datasets import Dataset, catalogue
from include.datasets.churn import CHURN_RISK, CHURN_TRAINING
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY, RFM
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS, rejected_of
from include.datasets.features import CUSTOMER_FEATURES, GROUPS
from include.datasets.insight import FIRM_INSIGHT
from include.datasets.value import LTV
from include.handoff.manifest import HandoffError
from include.models.segments import SEGMENTS
from include.modules import TRAINED
from include.report.reading import Reading
from include.report.statistics import (
    SMALL_GROUP,
    Columns,
    correlations,
    edges_of,
    histogram,
    rates,
    spread,
)
from include.version import __version__

SAMPLE_ROWS = 20_000
STRONG = 0.8
MAX_PAIRS = 300
IN_MATRIX = 24
EXTRACTED = (TRANSACTIONS, CUSTOMERS, PRODUCTS, LOYALTY_MOVEMENTS)
MODELS = tuple((name, catalogue()[training.model]) for name, training in TRAINED.items())


def gather(reading: Reading) -> dict[str, Any]:
    """All content of a report. Numbers are int or float, days are ISO text, unknown values are None."""
    firm = reading.firm
    profile: dict[str, Any] = {
        "firm": {
            "firm_key": firm.firm_key,
            "name": firm.name,
            "currency": firm.currency,
            "timezone": firm.timezone,
            "churn_threshold_days": firm.churn_threshold_days,
        },
        "as_of": reading.as_of.isoformat(),
        "version": __version__,
        "small_group": SMALL_GROUP,
        "insight": _insight(reading),
        "datasets": [found for dataset in EXTRACTED if (found := _dataset(reading, dataset))],
        "months": reading.query("months", CUSTOMER_DAYS) if reading.has(CUSTOMER_DAYS) else [],
        "segments": _segments(reading),
        "models": _models(reading),
        **_features(reading),
    }
    profile["not_computed"] = reading.not_computed
    plain: dict[str, Any] = _plain(profile)
    return plain


def was_run(reading: Reading) -> bool:
    """Whether an extract step left anything for this day, even a dataset without rows."""
    return any(reading.has(dataset) for dataset in EXTRACTED)


def _dataset(reading: Reading, dataset: Dataset) -> dict[str, Any] | None:
    """Rows, date range, missing values and rejections of an extracted dataset; None if not available."""
    if not reading.has(dataset):
        return None
    is_dated = dataset.by == "month"
    (counted,) = reading.query_any("completeness_of_events" if is_dated else "completeness", dataset)
    rows = counted["row_count"]
    if not rows:
        reading.lacks(dataset.name, "the source has none")
        return None
    return {
        "name": dataset.name,
        "about": dataset.about,
        "rows": rows,
        "first_date": counted.get("first_date"),
        "last_date": counted.get("last_date"),
        "rejected": reading.rejections(dataset, rejected_of(dataset)),
        "columns": [
            {
                "name": field.name,
                "about": dataset.about_column(field.name),
                "missing": rows - counted[field.name],
                "missing_share": (rows - counted[field.name]) / rows,
            }
            for field in dataset.schema
        ],
    }


def _insight(reading: Reading) -> list[dict[str, Any]]:
    """Insight sentences in the firm's language."""
    if not reading.has(FIRM_INSIGHT):
        return []
    rows = sorted(reading.table(FIRM_INSIGHT).to_pylist(), key=lambda row: row["place"])
    return [{"kind": row["kind"], "sentence": row["sentence"]} for row in rows if row["is_firm_language"]]


def _segments(reading: Reading) -> list[dict[str, Any]]:
    """RFM segments with predictions; averages of groups below ``SMALL_GROUP`` are None."""
    if not reading.has(RFM):
        return []
    for dataset in (CHURN_RISK, LTV):
        reading.has(dataset)  # lists a missing model under not_computed; its columns stay empty
    names = {segment.segment_code: segment.segment_name for segment in SEGMENTS}
    rows = reading.query("segments", RFM, CHURN_RISK, LTV)
    for row in rows:
        row["segment_name"] = names.get(row["segment_code"], row["segment_code"])
        if row["customers"] < SMALL_GROUP:
            row.update({name: None for name in row if name.startswith(("avg_", "total_", "predicted_"))})
    return rows


def _models(reading: Reading) -> list[dict[str, Any]]:
    """Whether each model had enough data, and its reason."""
    found = []
    for name, dataset in MODELS:
        try:
            table = reading.table(dataset)
        except HandoffError as error:
            reading.lacks(f"model {name}", str(error))
            continue
        is_sufficient, reason = import_module(f"include.models.{name}").status(table, firm=reading.firm)
        found.append({"name": name, "is_sufficient": is_sufficient, "reason": reason})
    return found


def _features(reading: Reading) -> dict[str, Any]:
    """Distribution of every feature at ``as_of``, and its relation to churn at past cutoffs."""
    dataset = CUSTOMER_FEATURES if reading.has(CUSTOMER_FEATURES) else CUSTOMER_SUMMARY
    if not reading.has(dataset):
        return {"features": [], "pairs": [], "matrix": None, "target": None, "sampled": None}
    (counted,) = reading.query_any("completeness", dataset)
    if not counted["row_count"]:
        reading.lacks("features", f"no identified customer bought before {reading.as_of}")
        return {"features": [], "pairs": [], "matrix": None, "target": None, "sampled": None}
    sample, _ = reading.sample("feature_sample", dataset, as_name="dataset", most=SAMPLE_ROWS)
    target, training, churned = _target(reading)
    churn_correlation = _churn_correlations(training, churned)
    group_of = {field.name: group.name for group in GROUPS for field in group.schema}
    features = []
    for name in sample.names:
        values = sample.column(name)
        edges = edges_of(values)
        missing = counted["row_count"] - counted[name]
        happened = training is not None and churned is not None and name in training.names
        features.append(
            {
                "name": name,
                "about": dataset.about_column(name),
                "group": group_of.get(name, dataset.name).removesuffix("_features"),
                "missing": missing,
                "missing_share": missing / counted["row_count"],
                **spread(values),
                "correlation": churn_correlation.get(name),
                "edges": edges,
                "counts": histogram(values, edges),
                "churn_rates": rates(training.column(name), churned, edges) if happened else None,  # type: ignore[union-attr, arg-type]
            }
        )
    matrix = correlations(sample.values)
    return {
        "described": dataset.name,
        "customers": counted["row_count"],
        "sampled": len(sample.values),
        "features": features,
        "pair_count": len(sample.names) * (len(sample.names) - 1) // 2,
        **_pairs(sample.names, matrix),
        "matrix": _matrix(sample.names, matrix, churn_correlation),
        "target": target,
    }


def _target(reading: Reading) -> tuple[dict[str, Any] | None, Columns | None, np.ndarray | None]:
    """Churn rates by cutoff and by band, a sample of the training rows, and its labels."""
    if not reading.has(CHURN_TRAINING):
        return None, None, None
    cutoffs = reading.query("cutoffs", CHURN_TRAINING)
    if not cutoffs:
        reading.lacks("churn by feature, cutoff and band", "there is no past cutoff with a known outcome")
        return None, None, None
    bands = reading.query("bands", CHURN_TRAINING, churn_threshold_days=reading.firm.churn_threshold_days)
    for row in (*cutoffs, *bands):
        is_small = row["customers"] < SMALL_GROUP
        row["churn_rate"] = None if is_small else row["churned"] / row["customers"]
        del row["churned"]
    training, table = reading.sample(
        "training_sample", CHURN_TRAINING, as_name="churn_training", most=SAMPLE_ROWS
    )
    churned = np.asarray(pc.cast(table.column("is_churned"), "int8"), dtype=np.float64)
    target = {"cutoffs": cutoffs, "bands": bands, "sampled": len(churned), "rows": table.num_rows}
    return target, training, churned


def _churn_correlations(training: Columns | None, churned: np.ndarray | None) -> dict[str, float]:
    """Rank correlation of each feature with the churn label, over past cutoffs."""
    if training is None or churned is None or not len(churned):
        return {}
    found = correlations(np.column_stack([training.values, churned]))[-1, :-1]
    return {name: float(value) for name, value in zip(training.names, found, strict=True)}


def _pairs(names: tuple[str, ...], matrix: np.ndarray) -> dict[str, Any]:
    """Pairs of features with a rank correlation of ``STRONG`` or more, strongest first."""
    left, right = np.triu_indices(len(names), k=1)
    values = matrix[left, right]
    strong = np.flatnonzero(np.abs(np.nan_to_num(values)) >= STRONG)
    order = strong[np.argsort(-np.abs(values[strong]), kind="stable")]
    return {
        "strong": STRONG,
        "strong_count": len(strong),
        "pairs": [
            {"a": names[left[i]], "b": names[right[i]], "correlation": values[i]} for i in order[:MAX_PAIRS]
        ],
    }


def _matrix(
    names: tuple[str, ...], matrix: np.ndarray, churn_correlation: dict[str, float]
) -> dict[str, Any] | None:
    """Correlation matrix of the features with the highest correlation with churn, else of the first features.

    A feature strongly correlated with one already chosen is skipped. None with fewer than two features.
    """

    def weight(name: str) -> float:
        value = churn_correlation.get(name, math.nan)
        return -abs(value) if math.isfinite(value) else 1.0

    varying = [i for i in range(len(names)) if np.isfinite(matrix[i, i])]
    chosen: list[int] = []
    for i in sorted(varying, key=lambda i: (weight(names[i]), i)):
        if len(chosen) < IN_MATRIX and not any(abs(matrix[i, j]) >= STRONG for j in chosen):
            chosen.append(i)
    if len(chosen) < 2:
        return None
    return {"names": [names[i] for i in chosen], "values": matrix[np.ix_(chosen, chosen)]}


def _plain(value: Any) -> Any:
    """Convert to JSON types; nan and infinity become None."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value.as_tuple().exponent == 0 else float(value)  # a sum of counts has no scale
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

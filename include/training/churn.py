"""Churn training rows: the feature queries run once per past cutoff, beside what then happened.

A model belongs to an **anchor**: the first day of a month on the firm's retraining cadence. It is trained
on what happened before its anchor, and scores every as_of until the next one; so a replay or a backfill,
in any order, scores with the same model. ``docs/churn.md`` tells the whole protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include import sql_text
from include.datasets import Dataset
from include.datasets.churn import CHURN_TRAINING
from include.datasets.computed import CUSTOMER_DAYS
from include.datasets.engagement import INTERACTIONS
from include.datasets.extracted import LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.datasets.features import CUSTOMER_FEATURES, FEATURE_QUERIES
from include.engines import Engine
from include.models.churn.sufficiency import FEWEST_CUTOFFS
from include.training import sampling
from include.training.sampling import EVERYBODY, Files, bucket, run, span, write

PER_CUSTOMER = (TRANSACTIONS, CUSTOMER_DAYS, LOYALTY_MOVEMENTS, INTERACTIONS)
SOURCES = (*PER_CUSTOMER, PRODUCTS)


def cutoffs_of(anchor: date, *, first_day: date, horizon_days: int, most: int) -> tuple[date, ...]:
    """Cutoffs of a model, oldest first: one horizon apart, so that no label window overlaps another.

    The last label window ends at the anchor. The first cutoff leaves at least one horizon of history.
    """
    step = timedelta(days=horizon_days)
    days = [anchor - n * step for n in range(1, most + 1)]
    return tuple(sorted(day for day in days if day - step >= first_day))


def stack(
    engine: Engine, files: Files, *, anchor: date, firm: Any, params: Mapping[str, object], scratch: Path
) -> Iterator[pa.RecordBatch]:
    """Rows of churn_training for one anchor: per cutoff its customers, their features and their label.

    The last cutoff comes twice: ``is_blind`` rows are computed with everything from the cutoff on taken
    away beforehand. A query that looks ahead gives the two different features, and the sentinel sees it.
    With fewer cutoffs than can be trained and tested on, the last one comes alone, once.
    """
    first_day, customers = span(engine, files, anchor)
    if first_day is None:
        return
    cutoffs = cutoffs_of(
        anchor,
        first_day=first_day,
        horizon_days=firm.churn_threshold_days,
        most=firm.churn.most_cutoffs,
    )
    if not cutoffs:
        return
    below = bucket(firm.churn.sample_customers, customers)
    # What lies beyond a cutoff no query reads; the blind rows below are there to prove it.
    known = files
    if below != EVERYBODY:
        known = sample_of(engine, files, until=anchor, below=below, scratch=scratch / "known")

    def windows(of: Files, cutoff: date, *, is_blind: bool) -> Iterator[pa.RecordBatch]:
        features = features_as_of(engine, of, cutoff, params, scratch)
        labels = labels_of(engine, known, cutoff, params, features, scratch)
        return _rows(features, labels, cutoff, is_blind=is_blind)

    if len(cutoffs) < FEWEST_CUTOFFS:  # rules will score, and the last window is all they ask about
        yield from windows(known, cutoffs[-1], is_blind=False)
        return
    for cutoff in cutoffs:
        yield from windows(known, cutoff, is_blind=False)
    past = sample_of(engine, known, until=cutoffs[-1], below=EVERYBODY, scratch=scratch / "past")
    yield from windows(past, cutoffs[-1], is_blind=True)


def sample_of(engine: Engine, files: Files, *, until: date, below: str, scratch: Path) -> Files:
    """The firm's rows before ``until`` of the customers whose hash lies below ``below``, and its products."""
    rows = sampling.sample_of(engine, files, PER_CUSTOMER, until=until, below=below, scratch=scratch)
    return {PRODUCTS: files[PRODUCTS], **rows}


def feature_batches(
    engine: Engine, files: Files, as_of: date, params: Mapping[str, object], scratch: Path
) -> Iterator[pa.RecordBatch]:
    """Rows of customer_features as of a day: the group queries one after another, then the one on top."""
    folder = scratch / "features"
    folder.mkdir(parents=True, exist_ok=True)
    known: dict[Dataset, Sequence[Path]] = dict(files)
    bound = {**params, "as_of": as_of}
    for dataset, reads in FEATURE_QUERIES:
        sql = sql_text.read("query", dataset.name)
        batches = engine.query(sql, [(read, known[read]) for read in reads], bound)
        if dataset is CUSTOMER_FEATURES:
            yield from map(dataset.conform, batches)
        else:
            known[dataset] = [write(dataset, batches, folder)]


def features_as_of(
    engine: Engine, sample: Files, cutoff: date, params: Mapping[str, object], scratch: Path
) -> pa.Table:
    """customer_features of a sample as of the cutoff, by the very queries that scoring runs."""
    batches = feature_batches(engine, sample, cutoff, params, scratch)
    return pa.Table.from_batches(list(batches), schema=CUSTOMER_FEATURES.schema)


def labels_of(
    engine: Engine,
    sample: Files,
    cutoff: date,
    params: Mapping[str, object],
    features: pa.Table,
    scratch: Path,
) -> pa.Table:
    """Whether each customer of ``features`` bought nothing from the cutoff on, for one horizon."""
    customers = scratch / "churn_customers.parquet"
    pq.write_table(features.select(["customer_id"]), customers)
    files = {CUSTOMER_FEATURES: [customers], CUSTOMER_DAYS: sample[CUSTOMER_DAYS]}
    return run(engine, "churn_labels", files, {**params, "as_of": cutoff})


def _rows(features: pa.Table, labels: pa.Table, cutoff: date, *, is_blind: bool) -> Iterator[pa.RecordBatch]:
    if not features["customer_id"].equals(labels["customer_id"].cast(pa.string())):
        raise ValueError(f"churn_training: features and labels of {cutoff} are of different customers")
    rows = features.num_rows
    columns = {name: features[name] for name in features.schema.names}
    columns["cutoff"] = pa.chunked_array([pa.repeat(pa.scalar(cutoff, pa.date32()), rows)])
    columns["is_blind"] = pa.chunked_array([pa.repeat(pa.scalar(is_blind), rows)])
    columns["is_churned"] = labels["is_churned"]
    table = pa.table(
        [columns[name] for name in CHURN_TRAINING.schema.names], names=CHURN_TRAINING.schema.names
    )
    for batch in table.combine_chunks().to_batches(max_chunksize=65_536):
        yield CHURN_TRAINING.conform(batch)

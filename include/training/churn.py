"""Churn training rows: the feature queries at each past cutoff, with the label that follows.

A model belongs to an **anchor** (training date): the first day of a month on the firm's retraining cadence.
It is trained on data before its anchor and scores every as_of until the next anchor. So replays and
backfills, in any order, score with the same model. ``docs/churn.md`` describes the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
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
from include.models.churn.sufficiency import MIN_CUTOFFS, disjoint
from include.models.firm import FirmSettings
from include.training import sampling
from include.training.sampling import ALL_CUSTOMERS, Files, bucket, path_of, run, span, write

PER_CUSTOMER = (TRANSACTIONS, CUSTOMER_DAYS, LOYALTY_MOVEMENTS, INTERACTIONS)
SOURCES = (*PER_CUSTOMER, PRODUCTS)
NEWEST_CUSTOMERS = 5_000  # whose features at the anchor are compared with those at past cutoffs
LABELLED = "churn_customers.parquet"  # the customers of a cutoff, in the scratch folder


def cutoffs_of(anchor: date, *, first_day: date, horizon_days: int, most: int) -> tuple[date, ...]:
    """Cutoffs of a model, oldest first; the last label window ends at the anchor.

    At least one horizon of history precedes the first cutoff. At most ``most`` cutoffs. Windows of 90 days
    and more overlap, by a half or two thirds, so that enough of them are recent; ``disjoint`` selects
    windows that do not. They overlap only as far as ``most`` cutoffs hold ``MIN_CUTOFFS`` disjoint windows.
    """
    parts = _parts(horizon_days, most)
    last = anchor - timedelta(days=horizon_days)
    days = [last - timedelta(days=n * horizon_days // parts) for n in range(most)]
    return tuple(sorted(day for day in days if day - timedelta(days=horizon_days) >= first_day))


def _parts(horizon_days: int, most: int) -> int:
    """Cutoffs per horizon: 3 for 135 days or more, 2 for 90 or more, else 1; fewer if ``most`` is small."""
    parts = 3 if horizon_days >= 135 else 2 if horizon_days >= 90 else 1
    return min(parts, (most - 1) // (MIN_CUTOFFS - 1))


def stack(
    engine: Engine,
    files: Files,
    *,
    anchor: date,
    firm: FirmSettings,
    params: Mapping[str, object],
    scratch: Path,
) -> Iterator[pa.RecordBatch]:
    """Rows of churn_training for one anchor: one per cutoff and customer, with features and label.

    The last cutoff occurs twice: the ``is_blind`` rows are computed from data without anything from the
    cutoff on. A query that uses later data gives different features there, and a leakage check fails. Rows
    of at most ``NEWEST_CUSTOMERS`` customers at the anchor are blind too; their outcome is unknown, their
    label false. With fewer than ``MIN_CUTOFFS`` windows that do not overlap, only the last one is returned,
    once.
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
    # No query reads data from the cutoff on; the blind rows below verify this.
    known = files
    if below != ALL_CUSTOMERS:
        known = sample_of(engine, files, until=anchor, below=below, scratch=scratch / "known")

    def windows(of: Files, cutoff: date, *, is_blind: bool) -> Iterator[pa.RecordBatch]:
        features = features_as_of(engine, of, cutoff, params, scratch)
        labels = labels_of(engine, known, cutoff, params, features, scratch)
        return _rows(features, labels, cutoff, is_blind=is_blind)

    # Rules need the last window only.
    if len(disjoint(cutoffs, horizon_days=firm.churn_threshold_days)) < MIN_CUTOFFS:
        yield from windows(known, cutoffs[-1], is_blind=False)
        return
    for cutoff in cutoffs:
        yield from windows(known, cutoff, is_blind=False)
    past = sample_of(engine, known, until=cutoffs[-1], below=ALL_CUSTOMERS, scratch=scratch / "past")
    yield from windows(past, cutoffs[-1], is_blind=True)
    few = min(NEWEST_CUSTOMERS, firm.churn.sample_customers)
    newest = sample_of(engine, known, until=anchor, below=bucket(few, customers), scratch=scratch / "newest")
    features = features_as_of(engine, newest, anchor, params, scratch)
    unknown = pa.table(
        {"customer_id": features["customer_id"], "is_churned": np.zeros(features.num_rows, np.bool_)}
    )
    yield from _rows(features, unknown, anchor, is_blind=True)


def sample_of(engine: Engine, files: Files, *, until: date, below: str, scratch: Path) -> Files:
    """Rows before ``until`` of the customers whose hash is below ``below``, and all products."""
    rows = sampling.sample_of(engine, files, PER_CUSTOMER, until=until, below=below, scratch=scratch)
    return {PRODUCTS: files[PRODUCTS], **rows}


def feature_batches(
    engine: Engine, files: Files, as_of: date, params: Mapping[str, object], scratch: Path
) -> Iterator[pa.RecordBatch]:
    """Rows of customer_features at ``as_of``: runs the group queries, then the query that joins them."""
    folder = scratch / "features"
    folder.mkdir(parents=True, exist_ok=True)
    known: dict[Dataset, Sequence[Path]] = dict(files)
    engine.announce([path_of(dataset, folder) for dataset, _ in FEATURE_QUERIES] + [scratch / LABELLED])
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
    """customer_features of a sample at the cutoff, by the same queries as scoring."""
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
    """Label of each customer of ``features``: no sale in the horizon that starts at the cutoff."""
    customers = scratch / LABELLED
    pq.write_table(features.select(["customer_id"]), customers)
    files = {CUSTOMER_FEATURES: [customers], CUSTOMER_DAYS: sample[CUSTOMER_DAYS]}
    return run(engine, "churn_labels", files, {**params, "as_of": cutoff})


def _rows(features: pa.Table, labels: pa.Table, cutoff: date, *, is_blind: bool) -> Iterator[pa.RecordBatch]:
    if not features["customer_id"].equals(labels["customer_id"].cast(pa.string())):
        raise ValueError(f"churn_training: features and labels of cutoff {cutoff} have different customers")
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

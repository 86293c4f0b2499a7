"""Churn: the probability that a customer buys nothing for ``churn_threshold_days`` from as_of on.

``fit`` is given rows of past cutoffs and keeps every number that led to the model it chose: small LightGBM
trees, BG/NBD's own probability, recency alone, or, where the past is too short or a canary died, rules.
``predict`` scores batch by batch. ``docs/churn.md`` is the protocol.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.models import drift
from include.models.churn import artefact as churn_artefact
from include.models.churn import calibration, trees
from include.models.churn import risk as churn_risk
from include.models.churn import rivals as churn_rivals
from include.models.churn import rules as churn_rules
from include.models.churn import sufficiency as churn_sufficiency
from include.models.churn import training as churn_training
from include.models.churn.artefact import ArtefactError
from include.models.churn.factors import code_of
from include.models.firm import FirmSettings

Floats = NDArray[np.float64]

RULES = "rules"
WATCHED = 15  # features whose drift is measured, those of most weight
NO_SPEND = (float("inf"), float("inf"))


class Params(NamedTuple):
    """A model read back and verified, ready to score."""

    method: str
    version: str
    trees: trees.Trees | None
    curve: calibration.Platt | None
    rival: churn_rivals.BgNbd | None
    staircase: calibration.Steps | None
    spend_cuts: tuple[float, float]
    codes: list[str]
    starts: NDArray[np.int64]  # where each code's features begin in ``order``
    order: NDArray[np.int64]  # the features, those of one code together


def fit(training: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of churn_model, from churn_training; ``as_of`` is the anchor."""
    windows = churn_training.windows_of(training)
    horizon = firm.churn_threshold_days
    missing = churn_sufficiency.shortfalls([(w.churned, w.repeat) for w in windows], firm=firm)
    parts: dict[str, Any] = {"spend_cuts": _spend_cuts(windows)}
    header: dict[str, Any] = {
        "anchor": as_of.isoformat(),
        "horizon_days": horizon,
        "cutoffs": [window.cutoff.isoformat() for window in windows],
        "customers": [window.rows.num_rows for window in windows],
        "settings": _settings(firm),
        "is_sufficient": not missing,
    }
    if missing:
        method, reason = RULES, f"rules are used, there is too little to train on: {'; '.join(missing)}"
    else:
        trial = churn_training.try_out(training, windows, horizon_days=horizon)
        method, reason = churn_training.champion_of(trial, windows[-1])
        parts["sentinel"] = [check._asdict() for check in trial.checks]
        if dead := [check.message for check in trial.checks if not check.passed]:
            method, reason = RULES, f"rules are used, the leak sentinel blocks the model: {'; '.join(dead)}"
            header["is_sufficient"] = False
        parts["metrics"] = churn_training.measures(
            trial, windows[-1], champion=method, threshold=firm.churn.decision_threshold
        )
        header["tree_count"] = trial.tree_count
        header["challenger"] = churn_training.challenger_of(trial, windows[-1], champion=method)
        parts.update(churn_training.build(trial, windows, horizon_days=horizon))
    header |= {"method": method, "reason": reason}
    if method != RULES:
        parts["reference"] = _reference(parts, header, windows[-1], horizon_days=horizon)
    return churn_artefact.write({**parts, "header": header})


def _reference(
    parts: dict[str, Any], header: dict[str, Any], last: churn_training.Window, *, horizon_days: int
) -> dict[str, Any]:
    """The last window's customers, by which drift is told: their probability, and what it hangs on most."""
    params = _params({**parts, "header": header, "version": ""})
    ranked = sorted(parts["importances"], key=lambda row: (-row["mean_contribution"], row["feature"]))
    values = {row["feature"]: trees.column_values(last.rows, row["feature"]) for row in ranked[:WATCHED]}
    probability = probability_of(last.rows, params, horizon_days=horizon_days)
    return drift.reference(values, score={"churn_probability": probability})


def status(model: pa.Table, *, firm: FirmSettings) -> tuple[bool, str]:
    """Whether the firm's past was enough for a tested model, and what is used and why."""
    del firm
    header = churn_artefact.read(model)["header"]
    return header["is_sufficient"], header["reason"]


def prepare(model: pa.Table, *, firm: FirmSettings, as_of: date) -> Params:
    """Read and verify a model; ArtefactError when it was tampered with or is for another threshold."""
    parts = churn_artefact.read(model)
    header = parts["header"]
    if header["horizon_days"] != firm.churn_threshold_days:
        raise ArtefactError(
            f"churn_model of {header['anchor']} was trained for {header['horizon_days']} days, the firm's "
            f"churn threshold is {firm.churn_threshold_days}; {churn_artefact.MEND}"
        )
    if date.fromisoformat(header["anchor"]) > as_of:
        raise ArtefactError(f"churn_model of {header['anchor']} knows more than one may on {as_of}")
    return _params(parts)


def _params(parts: dict[str, Any]) -> Params:
    method = parts["header"]["method"]
    learned = trees.Trees(parts["trees"]) if method == churn_training.TREES else None
    codes, starts, order = _grouped(learned.features if learned else [])
    steps = parts.get("recency")
    return Params(
        method=method,
        version=parts["version"],
        trees=learned,
        curve=calibration.Platt(*parts["calibration"]) if learned else None,
        rival=churn_rivals.from_json(parts["bgnbd"]) if method == "bgnbd" else None,
        staircase=calibration.Steps(**steps) if steps else None,
        spend_cuts=tuple(parts["spend_cuts"]),
        codes=codes,
        starts=starts,
        order=order,
    )


def predict(batch: pa.RecordBatch, params: Params, *, firm: FirmSettings, as_of: date) -> pa.RecordBatch:
    """Rows of churn_risk for a batch of customer_features."""
    chunks = [
        _predict(batch.slice(first, trees.CHUNK_ROWS), params, firm=firm, as_of=as_of)
        for first in range(0, max(batch.num_rows, 1), trees.CHUNK_ROWS)
    ]
    return pa.Table.from_batches(chunks).combine_chunks().to_batches()[0] if len(chunks) > 1 else chunks[0]


def probability_of(rows: pa.Table | pa.RecordBatch, params: Params, *, horizon_days: int) -> Floats | None:
    """P(no purchase in the horizon) of each row; None where rules score, for theirs is none."""
    if params.trees is not None and params.curve is not None:
        return params.curve(params.trees.scores(trees.matrix(rows, params.trees.features)))
    if params.rival is not None:
        return params.rival.probability(rows, horizon_days=horizon_days)
    if params.method == "recency" and params.staircase is not None:
        return churn_rivals.recency(params.staircase, rows)
    return None


def _predict(batch: pa.RecordBatch, params: Params, *, firm: FirmSettings, as_of: date) -> pa.RecordBatch:
    horizon = firm.churn_threshold_days
    probability = probability_of(batch, params, horizon_days=horizon)
    if params.trees is not None:
        adds = params.trees.contributions(trees.matrix(batch, params.trees.features))[:, :-1]
        # Adding along a row, not by a matrix product: the same bits whatever the batch.
        factors = params.codes, np.add.reduceat(adds[:, params.order], params.starts, axis=1)
    else:
        found = churn_rules.signals(batch, horizon_days=horizon)
        factors = churn_rules.contributions(found)
    score = churn_rules.score(found) if probability is None else 100.0 * probability
    return churn_risk.describe(
        batch,
        probability=probability,
        score=score,
        factors=factors,
        spend_cuts=params.spend_cuts,
        method=params.method,
        version=params.version,
        firm=firm,
        as_of=as_of,
    )


def _grouped(features: list[str]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Factor codes, and the features put in an order in which those of one code stand together."""
    of = [code_of(name) for name in features]
    codes = sorted(set(of))
    order = sorted(range(len(of)), key=lambda at: codes.index(of[at]))
    starts = [[of[at] for at in order].index(code) for code in codes]
    return codes, np.array(starts, dtype=np.int64), np.array(order, dtype=np.int64)


def _spend_cuts(windows: list[churn_training.Window]) -> tuple[float, float]:
    """What parts the firm's spenders in thirds: net spend of 365 days, at the latest cutoff."""
    if not windows:
        return NO_SPEND
    spend = trees.column_values(windows[-1].rows, "total_spend_365_days").astype(np.float64)
    spend = spend[spend > 0]
    if not len(spend):
        return NO_SPEND
    low, high = np.quantile(spend, [1 / 3, 2 / 3])
    return float(low), float(high)


def _settings(firm: FirmSettings) -> dict[str, Any]:
    """What a model depends on beside the data."""
    names = ("most_cutoffs", "sample_customers", "min_customers", "min_repeat_buyers", "min_events")
    return {
        "churn_threshold_days": firm.churn_threshold_days,
        "decision_threshold": firm.churn.decision_threshold,
        **{name: getattr(firm.churn, name) for name in names},
    }

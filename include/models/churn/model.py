"""Churn: the probability that a customer buys nothing for ``churn_threshold_days`` from as_of on.

``fit`` tests candidates on past cutoffs: gradient-boosted trees (LightGBM), the purchase models BG/NBD (raw,
calibrated, with season) and Pareto/NBD, and a curve of the days since the last order. It keeps the best and
stores the metrics of all. "Best" is the lowest Brier score: the mean squared difference between a probability
and what happened (0 or 1). With too few customers, repeat buyers or churned customers, or when a leakage
check fails, fixed rules score instead.
``predict`` scores batch by batch. ``docs/churn.md`` describes the protocol.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.models.churn import artefact as churn_artefact
from include.models.churn import baselines as churn_baselines
from include.models.churn import calibration, explanation, next_order, population, trees
from include.models.churn import risk as churn_risk
from include.models.churn import rules as churn_rules
from include.models.churn import season as churn_season
from include.models.churn import sufficiency as churn_sufficiency
from include.models.churn import training as churn_training
from include.models.churn.artefact import ArtefactError
from include.models.churn.factors import code_of
from include.models.firm import FirmSettings

Floats = NDArray[np.float64]

RULES = "rules"
RAW = (churn_training.RAW_BGNBD, churn_training.SEASONAL_BGNBD, churn_training.PARETONBD)
"""Methods that use a purchase model's probability without a Platt curve."""
METHOD_VERSION = 2
"""Stored in the header. After a change of the method, an existing model is used until the next anchor."""
NO_SPEND = (float("inf"), float("inf"))


class Params(NamedTuple):
    """A model read back and verified, ready to score."""

    method: str
    version: str
    trees: trees.Trees | None
    curve: calibration.Platt | None
    baseline: churn_baselines.BgNbd | None
    isotonic: calibration.IsotonicCurve | None
    gaps: list[churn_season.Gap]
    next_order: next_order.Fitted | None
    scale: churn_rules.Scale | None
    spend_cuts: tuple[float, float]
    codes: list[str]
    starts: NDArray[np.int64]  # index in ``order`` of each code's first feature
    order: NDArray[np.int64]  # feature indices, grouped by code


def fit(training: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of churn_model from churn_training: one per part. ``as_of`` is the training date (anchor)."""
    windows = churn_training.windows_of(training)
    horizon = firm.churn_threshold_days
    missing = churn_sufficiency.shortfalls([(w.churned, w.repeat) for w in windows], firm=firm)
    parts: dict[str, Any] = {"spend_cuts": _spend_cuts(windows)}
    header: dict[str, Any] = {
        "anchor": as_of.isoformat(),
        "method_version": METHOD_VERSION,
        "horizon_days": horizon,
        "cutoffs": [window.cutoff.isoformat() for window in windows],
        "customers": [window.rows.num_rows for window in windows],
        "settings": _settings(firm),
        "is_sufficient": not missing,
    }
    if missing:
        method, reason = RULES, f"rules are used, there is too little training data: {'; '.join(missing)}"
        if not windows:
            reason += "; the outcome of no past window is known, so the score only ranks and has no category"
    else:
        tested = churn_training.backtest(training, windows, horizon_days=horizon)
        method, reason = churn_training.select_model(tested, windows[-1])
        parts[churn_artefact.LEAKAGE_CHECKS] = [check._asdict() for check in tested.checks]
        if failed := [check.message for check in tested.checks if not check.passed]:
            method, reason = RULES, f"rules are used, a leakage check failed: {'; '.join(failed)}"
            header["is_sufficient"] = False
        parts["metrics"] = churn_training.measures(
            tested, windows[-1], champion=method, threshold=firm.churn.decision_threshold
        )
        header["tree_count"] = tested.tree_count
        header["challenger"] = churn_training.challenger_of(tested, windows[-1], champion=method)
        parts.update(churn_training.build(tested, windows, champion=method, horizon_days=horizon))
    header |= {"method": method, "reason": reason}
    if windows:
        signals = churn_rules.signals(windows[-1].rows, horizon_days=horizon)
        parts["rules"] = churn_rules.scale_of(churn_rules.score(signals), windows[-1].churned)._asdict()
    if method != RULES:
        newest = [w for w in churn_training.windows_of(training, is_blind=True) if w.cutoff == as_of]
        parts["next_order"] = _next_order(parts, header, windows, newest, anchor=as_of, horizon_days=horizon)
        parts["reference"] = _reference(parts, header, windows, anchor=as_of)
    return churn_artefact.write({**parts, "header": header})


def _next_order(
    parts: dict[str, Any],
    header: dict[str, Any],
    windows: list[churn_training.Window],
    newest: list[churn_training.Window],
    *,
    anchor: date,
    horizon_days: int,
) -> dict[str, Any] | None:
    """The purchase model of the next order, fitted to the churn probabilities of the windows.

    ``newest`` has the rows of the training date, if any.
    """
    params = _params({**parts, "header": header, "version": ""})
    known: list[tuple[date, pa.Table, Floats | None]] = []
    for window in windows:
        found = probability_of(window.rows, params, horizon_days=horizon_days, as_of=window.cutoff)
        if found is not None:
            known.append((window.cutoff, window.rows, found))
    if not known:
        return None
    known += [(window.cutoff, window.rows, None) for window in newest]
    return next_order.fit(known, anchor=anchor, horizon_days=horizon_days)


def _reference(
    parts: dict[str, Any], header: dict[str, Any], windows: list[churn_training.Window], *, anchor: date
) -> dict[str, Any]:
    params = _params({**parts, "header": header, "version": ""})
    horizon = header["horizon_days"]
    return population.reference(
        windows,
        parts["importances"],
        lambda rows, day: probability_of(rows, params, horizon_days=horizon, as_of=day),
        anchor=anchor,
    )


def status(model: pa.Table, *, firm: FirmSettings) -> tuple[bool, str]:
    """Whether the history sufficed for a backtested model, and which model is used and why."""
    del firm
    header = churn_artefact.read(model)["header"]
    return header["is_sufficient"], header["reason"]


def prepare(model: pa.Table, *, firm: FirmSettings, as_of: date) -> Params:
    """Read and verify a model.

    ArtefactError if it is damaged, trained for another churn threshold, or trained later than ``as_of``.
    """
    parts = churn_artefact.read(model)
    header = parts["header"]
    if header["horizon_days"] != firm.churn_threshold_days:
        raise ArtefactError(
            f"churn model trained to {header['anchor']} predicts {header['horizon_days']} days, the firm's "
            f"churn threshold is {firm.churn_threshold_days}; {churn_artefact.FIX}"
        )
    if date.fromisoformat(header["anchor"]) > as_of:
        raise ArtefactError(
            f"churn model trained to {header['anchor']} cannot score the earlier as_of {as_of} (look-ahead)"
        )
    return _params(parts)


def _params(parts: dict[str, Any]) -> Params:
    method = parts["header"]["method"]
    learned = trees.Trees(parts["trees"]) if method == churn_training.TREES else None
    codes, starts, order = _grouped(learned.features if learned else [])
    steps, following, scale = (parts.get(name) for name in ("recency", "next_order", "rules"))
    return Params(
        method=method,
        version=parts["version"],
        trees=learned,
        curve=calibration.Platt(*parts["calibration"]) if learned else None,
        baseline=_baseline(parts, method),
        isotonic=calibration.IsotonicCurve(**steps) if steps else None,
        gaps=churn_season.from_json(parts.get("season") or []),
        next_order=next_order.from_json(following) if following else None,
        scale=churn_rules.Scale(**scale) if scale else None,
        spend_cuts=tuple(parts["spend_cuts"]),
        codes=codes,
        starts=starts,
        order=order,
    )


def _baseline(parts: dict[str, Any], method: str) -> churn_baselines.BgNbd | None:
    """The purchase model that scores, if one does."""
    if method == churn_training.PARETONBD:
        return churn_baselines.from_json(parts["paretonbd"])
    return churn_baselines.from_json(parts["bgnbd"]) if method in ("bgnbd", *RAW) else None


def predict(batch: pa.RecordBatch, params: Params, *, firm: FirmSettings, as_of: date) -> pa.RecordBatch:
    """Rows of churn_risk, one per customer of the batch (customer_features)."""
    chunks = [
        _predict(batch.slice(first, trees.CHUNK_ROWS), params, firm=firm, as_of=as_of)
        for first in range(0, max(batch.num_rows, 1), trees.CHUNK_ROWS)
    ]
    return pa.Table.from_batches(chunks).combine_chunks().to_batches()[0] if len(chunks) > 1 else chunks[0]


def probability_of(
    rows: pa.Table | pa.RecordBatch, params: Params, *, horizon_days: int, as_of: date
) -> Floats | None:
    """P(no purchase in the horizon) per row; None if rules score, which give no probability."""
    if params.trees is not None and params.curve is not None:
        found = params.curve(params.trees.scores(trees.matrix(rows, params.trees.features)))
        return churn_season.shifted(found, churn_season.of(params.gaps, as_of, horizon_days=horizon_days))
    if params.baseline is not None:
        is_raw = params.method in RAW
        found = churn_baselines.probability(params.baseline, rows, horizon_days=horizon_days, is_raw=is_raw)
        if params.method == churn_training.SEASONAL_BGNBD:
            found = churn_season.shifted(
                found, churn_season.of(params.gaps, as_of, horizon_days=horizon_days)
            )
        return found
    if params.method == "recency" and params.isotonic is not None:
        return churn_baselines.recency(params.isotonic, rows)
    return None


def _predict(batch: pa.RecordBatch, params: Params, *, firm: FirmSettings, as_of: date) -> pa.RecordBatch:
    horizon = firm.churn_threshold_days
    probability = probability_of(batch, params, horizon_days=horizon, as_of=as_of)
    if probability is None:
        score = churn_rules.score(churn_rules.signals(batch, horizon_days=horizon))
        score = score if params.scale is None else params.scale(score)
    else:
        score = 100.0 * probability
    described = churn_risk.describe(
        batch,
        probability=probability,
        score=score,
        factors=_factors(batch, params, horizon_days=horizon),
        spend_cuts=params.spend_cuts,
        method=params.method,
        version=params.version,
        is_known=probability is not None or params.scale is not None,
        firm=firm,
        as_of=as_of,
    )
    following = next_order.columns(batch, params.next_order, probability, horizon_days=horizon, as_of=as_of)
    is_new = pc.equal(described["no_score_reason"], churn_risk.TOO_NEW).fill_null(False)
    return pa.RecordBatch.from_pydict(
        described
        | {
            name: pc.if_else(is_new, pa.scalar(None, column.type), column)
            for name, column in following.items()
        }
    )


def _factors(batch: pa.RecordBatch, params: Params, *, horizon_days: int) -> tuple[list[str], Floats]:
    """Factor codes and their contributions to the score that is shown, shape (customers, codes)."""
    if params.trees is not None:
        adds = params.trees.contributions(trees.matrix(batch, params.trees.features))[:, :-1]
        # Sum along each row instead of a matrix product: the result does not depend on the batch.
        return params.codes, np.add.reduceat(adds[:, params.order], params.starts, axis=1)
    if params.baseline is not None:
        is_raw = params.method in RAW
        return explanation.of_bgnbd(batch, params.baseline, horizon_days=horizon_days, is_raw=is_raw)
    if params.method == "recency" and params.isotonic is not None:
        return explanation.of_recency(batch, params.isotonic)
    return churn_rules.contributions(churn_rules.signals(batch, horizon_days=horizon_days))


def _grouped(features: list[str]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Sorted factor codes, the first index of each code in the order, and features ordered by code."""
    of = [code_of(name) for name in features]
    codes = sorted(set(of))
    order = sorted(range(len(of)), key=lambda at: codes.index(of[at]))
    starts = [[of[at] for at in order].index(code) for code in codes]
    return codes, np.array(starts, dtype=np.int64), np.array(order, dtype=np.int64)


def _spend_cuts(windows: list[churn_training.Window]) -> tuple[float, float]:
    """Terciles of net spend in the last 365 days at the latest cutoff, over customers with spend."""
    if not windows:
        return NO_SPEND
    spend = trees.column_values(windows[-1].rows, "total_spend_365_days").astype(np.float64)
    spend = spend[spend > 0]
    if not len(spend):
        return NO_SPEND
    low, high = np.quantile(spend, [1 / 3, 2 / 3])
    return float(low), float(high)


def _settings(firm: FirmSettings) -> dict[str, Any]:
    """Settings the model was trained with, stored in the header."""
    names = ("most_cutoffs", "sample_customers", "min_customers", "min_repeat_buyers", "min_events")
    return {
        "churn_threshold_days": firm.churn_threshold_days,
        "decision_threshold": firm.churn.decision_threshold,
        **{name: getattr(firm.churn, name) for name in names},
    }

"""The leak sentinel: canaries that run with every churn training and block a model that knows too much.

- **Shuffled labels.** Labels are shuffled within each cutoff and the whole procedure is run on them. Nothing
  can be learned, so an AUC off one half says that outcomes reach the features by a side door.
- **Future information.** The evaluation window's features are computed twice: from all the data, and from
  data that stops at the cutoff. A feature that differs has looked ahead; what it gains is measured.
- **Label from the past.** Cutoffs lie one horizon apart, so the next cutoff's features tell what happened in
  a label's window. A label that disagrees was not taken from what followed its cutoff.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.models.churn import evaluation, trees

Bools = NDArray[np.bool_]

SHUFFLE_SEED = 20_261_121
SHUFFLE_ERRORS = 4.0  # standard errors that the shuffled AUC may lie off one half
FUTURE_GAIN = 0.0005
LABEL_SHARE = 0.0005  # a sale moved across midnight by a late correction is no leak
CANARY_TREES = 20


class Check(NamedTuple):
    """One canary: what was seen, what is allowed, and whether it lives."""

    check: str
    observed: float
    allowed: float
    passed: bool
    message: str


def shuffled_labels(
    windows: list[tuple[NDArray[np.float32], Bools]],
    evaluated: tuple[NDArray[np.float32], Bools],
    features: list[str],
) -> Check:
    """Train on shuffled labels of the training windows, rank the evaluation window's shuffled labels."""
    random = np.random.default_rng(SHUFFLE_SEED)
    x = np.concatenate([rows for rows, _ in windows])
    y = np.concatenate([random.permutation(labels) for _, labels in windows])
    text, _ = trees.train(x, y, features, trees=CANARY_TREES)
    shuffled = random.permutation(evaluated[1])
    seen = evaluation.auc(trees.Trees(text).scores(evaluated[0]), shuffled)
    allowed = SHUFFLE_ERRORS * evaluation.auc_error(shuffled)
    return Check(
        "shuffled_labels",
        seen,
        allowed,
        abs(seen - 0.5) <= allowed,
        f"AUC {seen:.3f} on shuffled labels; 0.5 give or take {allowed:.3f} is chance",
    )


def future_information(model: trees.Trees, seen: pa.Table, blind: pa.Table, churned: Bools) -> Check:
    """Compare the evaluation window with its blind copy: same customers, same features, same ranking."""
    if blind.num_rows == 0 or not seen["customer_id"].equals(blind["customer_id"]):
        return Check(
            "future_information",
            float("nan"),
            FUTURE_GAIN,
            False,
            f"the blind copy has {blind.num_rows} customers where the window has {seen.num_rows}: "
            "who is scored depends on the future",
        )
    with_future = evaluation.auc(model.scores(trees.matrix(seen, model.features)), churned)
    without = evaluation.auc(model.scores(trees.matrix(blind, model.features)), churned)
    gain = with_future - without
    changed = [
        name
        for name in model.features
        if not np.array_equal(
            trees.column_values(seen, name), trees.column_values(blind, name), equal_nan=True
        )
    ]
    named = f"; these features look past the cutoff: {changed[:5]}" if changed else ""
    return Check(
        "future_information",
        gain,
        FUTURE_GAIN,
        not changed and gain <= FUTURE_GAIN,
        f"AUC gain {gain:.4f} from data after the cutoff{named}",
    )


def label_from_the_past(training: pa.Table, *, horizon_days: int) -> Check:
    """Each label against the next cutoff's days since the last order."""
    cutoffs = sorted(pc.unique(training["cutoff"]).to_pylist())
    compared = wrong = 0
    for cutoff, following in pairwise(cutoffs):
        if (following - cutoff).days != horizon_days:
            continue
        then = _window(training, cutoff).select(["customer_id", "is_churned"])
        now = _window(training, following).select(["customer_id", "days_since_last_order"])
        both = then.join(now, "customer_id", join_type="left outer")
        silent = pc.greater(both["days_since_last_order"], horizon_days)
        agree = pc.equal(both["is_churned"], silent)
        compared += both.num_rows
        wrong += both.num_rows - (pc.sum(agree).as_py() or 0)
    share = wrong / compared if compared else float("nan")
    return Check(
        "label_from_the_past",
        share,
        LABEL_SHARE,
        compared > 0 and share <= LABEL_SHARE,
        f"{wrong} of {compared} labels are not what happened after their cutoff",
    )


def _window(training: pa.Table, cutoff: Any) -> pa.Table:
    return training.filter(pc.and_(pc.equal(training["cutoff"], cutoff), pc.invert(training["is_blind"])))

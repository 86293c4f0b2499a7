"""Leakage checks: run with every churn training; a failed check blocks the model.

- **Shuffled labels.** Shuffle labels within each cutoff and train on them. Such labels cannot be learned, so
  an AUC far from 0.5 shows that outcomes leak into the features.
- **Future information.** Compute the evaluation window's features twice: from all data, and from data that
  ends at the cutoff. A feature that differs uses data after the cutoff; its gain in AUC is measured.
- **Written back** (``written_back.py``): a column that the source changes after a customer left.
- **Label from the past.** The features of the first cutoff after a label's window show what happened in it.
  A label that disagrees does not describe the days after its cutoff.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.models.churn import evaluation, trees

Bools = NDArray[np.bool_]

SHUFFLE_SEED = 20_261_121
SHUFFLE_ERRORS = 4.0  # allowed distance of the shuffled AUC from 0.5, in standard errors
FUTURE_GAIN = 0.0005
LABEL_SHARE = 0.0005  # tolerates late corrections that move a sale across midnight
CHECK_TREES = 20


class Check(NamedTuple):
    """Result of one leakage check: observed value, threshold, whether it passed. Stored under these names."""

    check: str
    observed: float
    allowed: float
    passed: bool
    message: str


def shuffled_labels(
    x: NDArray[np.float32],
    labels: list[Bools],
    evaluated: tuple[NDArray[np.float32], Bools],
    features: list[str],
) -> Check:
    """Train on shuffled labels; the AUC on the evaluation window's shuffled labels must be near 0.5.

    ``labels`` has one array per cutoff, in the order of the rows of ``x``. Rows of ``x`` beyond are not used.
    """
    random = np.random.default_rng(SHUFFLE_SEED)
    y = np.concatenate([random.permutation(of_cutoff) for of_cutoff in labels])
    text = trees.train(x[: len(y)], y, features, trees=CHECK_TREES)
    shuffled = random.permutation(evaluated[1])
    seen = evaluation.auc(trees.Trees(text).scores(evaluated[0]), shuffled)
    allowed = SHUFFLE_ERRORS * evaluation.auc_error(shuffled)
    return Check(
        "shuffled_labels",
        seen,
        allowed,
        abs(seen - 0.5) <= allowed,
        f"AUC {seen:.3f} on shuffled labels; expected 0.5 within {allowed:.3f}",
    )


def future_information(model: trees.Trees, seen: pa.Table, blind: pa.Table, churned: Bools) -> Check:
    """Compare the evaluation window (``seen``) with its copy computed without later data (``blind``)."""
    if blind.num_rows == 0 or not seen["customer_id"].equals(blind["customer_id"]):
        return Check(
            "future_information",
            float("nan"),
            FUTURE_GAIN,
            False,
            f"the blind copy has {blind.num_rows} customers where the window has {seen.num_rows}: "
            "the set of customers depends on data after the cutoff",
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
    named = f"; these features use data after the cutoff: {changed[:5]}" if changed else ""
    return Check(
        "future_information",
        gain,
        FUTURE_GAIN,
        not changed and gain <= FUTURE_GAIN,
        f"AUC gain {gain:.4f} from data after the cutoff{named}",
    )


def label_from_the_past(training: pa.Table, *, horizon_days: int) -> Check:
    """Compare each label with the days since the last order at the first cutoff after its window."""
    cutoffs = sorted(pc.unique(training["cutoff"].filter(pc.invert(training["is_blind"]))).to_pylist())
    compared = wrong = 0
    for cutoff in cutoffs:
        after = [day for day in cutoffs if (day - cutoff).days >= horizon_days]
        if not after:
            continue
        days = (after[0] - cutoff).days
        then = _window(training, cutoff, "is_churned")
        now = _window(training, after[0], "days_since_last_order")
        both = then.join(now, "customer_id", join_type="left outer")
        # An order after the window and before that cutoff hides what the window held.
        both = both.filter(pc.greater(pc.fill_null(both["days_since_last_order"], days), days - horizon_days))
        agree = pc.equal(both["is_churned"], pc.greater(both["days_since_last_order"], days))
        compared += both.num_rows
        wrong += both.num_rows - (pc.sum(agree).as_py() or 0)
    share = wrong / compared if compared else float("nan")
    return Check(
        "label_from_the_past",
        share,
        LABEL_SHARE,
        compared > 0 and share <= LABEL_SHARE,
        f"{wrong} of {compared} labels do not match what happened after their cutoff",
    )


def _window(training: pa.Table, cutoff: Any, column: str) -> pa.Table:
    """The customers of a cutoff and one column; filtering all 250 columns would copy the window."""
    is_seen = pc.and_(pc.equal(training["cutoff"], cutoff), pc.invert(training["is_blind"]))
    return training.select(["customer_id", column]).filter(is_seen)

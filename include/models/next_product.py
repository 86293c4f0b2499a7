"""Next product: fit the weights of the suggestions, and test them on the firm's own last window.

``sql/query/next_product_candidates.sql`` finds, for a sample of customers at two past cutoffs, the products
that each may buy next. The weights are fitted on the order after the earlier cutoff and tested on the order
after the later one: of each customer, does the next order hold at least one of the five suggested products,
and does it hold one of the five best-selling ones? Only if the suggestions win by two standard errors does
``sql/query/next_products.sql`` suggest anything.

Two logistic regressions give the chance that a product is in the next order: one of repeats, one of new
products, so that both can be ranked together. The customer's own purchase frequency is the strongest
predictor (Li, Jullien, Ariannezhad & de Rijke 2023, "A Next Basket Recommendation Reality Check", ACM
Transactions on Information Systems 41(4)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import special

from include.models.firm import FirmSettings
from include.models.logistic import fit_weights

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SUGGESTED = 5
"""Products that are suggested to a customer, and best-selling products they are compared with."""
MIN_CUSTOMERS = 100
"""Fewest customers to fit on, and to test on."""
CLEARLY = 2.0
"""Standard errors by which the suggestions must beat the best-selling products."""
TERMS: Mapping[str, tuple[str, ...]] = {
    "repeat": ("intercept", "rate_weight", "once_weight", "orders_weight", "popularity_weight"),
    "new": ("intercept", "together_weight", "orders_weight", "popularity_weight"),
}
_RIDGE = 1.0


class Tested(NamedTuple):
    """Hit rates of the customers of the test, and the difference with its standard error."""

    customers: int
    hit_rate: float
    popular_hit_rate: float
    difference: float
    standard_error: float

    @property
    def is_better(self) -> bool:
        """Whether the suggestions beat the best-selling products."""
        return self.difference > CLEARLY * self.standard_error


def fit(tests: pa.Table, evidence: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """One row of next_product_model; without weights where the firm's sales allow no test."""
    horizon = firm.churn_threshold_days
    tested_from = as_of - timedelta(days=horizon)
    earlier = tests.filter(pc.less(tests["cutoff"], pa.scalar(tested_from)))
    later = tests.filter(pc.equal(tests["cutoff"], pa.scalar(tested_from)))
    fitted_customers, tested_customers = (_customers(table) for table in (earlier, later))
    row: dict[str, Any] = {
        "tested_from": tested_from,
        "horizon_days": horizon,
        "is_used": False,
        "tested_customers": tested_customers,
        "fitted_customers": fitted_customers,
    }
    reason = _too_little(evidence.to_pylist()[0], fitted_customers, tested_customers, horizon)
    if not reason:
        weights = {kind: _fit_kind(earlier, kind) for kind in TERMS}
        found = _test(later, weights)
        row |= {
            "is_used": found.is_better,
            "hit_rate_at_5": found.hit_rate,
            "popular_hit_rate_at_5": found.popular_hit_rate,
            "hit_rate_difference": found.difference,
            "difference_standard_error": found.standard_error,
        }
        for kind, names in TERMS.items():
            row |= {f"{kind}_{name}": float(w) for name, w in zip(names, weights[kind], strict=True)}
        reason = _result(found, tested_from, horizon)
    return pa.Table.from_pylist([row | {"reason": reason}], schema=_SCHEMA)


def status(model: pa.Table, *, firm: FirmSettings) -> tuple[bool, str]:
    """Whether customers get suggestions, and why."""
    del firm
    row = model.to_pylist()[0]
    return row["is_used"], row["reason"]


def terms(candidates: pa.Table, kind: str) -> Floats:
    """The terms of a kind's regression, one row per candidate; the first column is 1.

    ``sql/query/next_products.sql`` computes the same terms.
    """

    def column(name: str) -> Floats:
        return candidates[name].to_numpy().astype(np.float64)

    orders, popularity = np.log(column("order_days")), np.log(column("popularity"))
    one = np.ones(candidates.num_rows)
    if kind == "new":
        return np.column_stack([one, np.log(column("together_share") + 0.01), orders, popularity])
    bought = column("purchase_days")
    rate = np.log((bought + 0.5) / (column("order_days") + 1.0))
    return np.column_stack([one, rate, (bought == 1).astype(np.float64), orders, popularity])


def fit_logistic(x: Floats, happened: Bools) -> Floats:
    """Weights of a logistic regression with a ridge penalty on all but the intercept.

    The intercept's start and target are smoothed, so that it is finite where nothing or all happened.
    """
    count, width = x.shape
    weights = np.zeros(width)
    if not count:
        return weights
    share = (happened.sum() + 0.5) / (count + 1.0)
    target = np.where(happened, 1.0, 0.0) if 0 < happened.sum() < count else np.full(count, share)
    weights[0] = special.logit(share)
    ridge = np.r_[0.0, np.full(width - 1, _RIDGE)]
    return fit_weights(x, target, start=weights, ridge=ridge)


def _fit_kind(candidates: pa.Table, kind: str) -> Floats:
    rows = candidates.filter(pc.equal(candidates["kind"], kind))
    return fit_logistic(terms(rows, kind), rows["is_bought_next"].to_numpy().astype(np.bool_))


def _test(candidates: pa.Table, weights: Mapping[str, Floats]) -> Tested:
    """Hits of the suggestions and of the best-selling products, customer by customer."""
    probability = np.zeros(candidates.num_rows)
    kinds = candidates["kind"].to_numpy(zero_copy_only=False)
    for kind, kind_weights in weights.items():
        of_kind = kinds == kind
        rows = candidates.filter(pa.array(of_kind))
        probability[of_kind] = special.expit(terms(rows, kind) @ kind_weights)
    ranked = candidates.append_column("p", pa.array(np.round(probability, 6))).sort_by(
        [("customer_id", "ascending"), ("p", "descending"), ("product_id", "ascending")]
    )
    customers = ranked["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.r_[True, customers[1:] != customers[:-1]])
    place = np.arange(len(customers)) - np.repeat(starts, np.diff(np.r_[starts, len(customers)]))
    is_hit = ranked["is_bought_next"].to_numpy().astype(np.bool_) & (place < SUGGESTED)
    hits = np.logical_or.reduceat(is_hit, starts).astype(np.float64)
    popular = ranked["is_popular_bought_next"].to_numpy()[starts].astype(np.float64)
    difference = hits - popular
    return Tested(
        len(starts),
        float(hits.mean()),
        float(popular.mean()),
        float(difference.mean()),
        float(difference.std(ddof=1) / np.sqrt(len(starts))),
    )


def _customers(tests: pa.Table) -> int:
    return int(pc.count_distinct(tests["customer_id"]).as_py())


def _too_little(evidence: Mapping[str, int], fitted: int, tested: int, horizon: int) -> str:
    """Why there can be no test; empty if there can."""
    found: Sequence[tuple[bool, str]] = (
        (evidence["product_count"] == 0, "the sales name no product"),
        (evidence["customer_count"] == 0, "no sale of a product names its customer"),
        (
            evidence["product_count"] <= SUGGESTED,
            f"number of products sold so far: {evidence['product_count']}; suggestions need more than "
            f"{SUGGESTED}",
        ),
        (evidence["repeat_customer_count"] == 0, "no customer has bought on a second day"),
        (
            evidence["history_days"] <= 2 * horizon,
            f"{evidence['history_days']} days of sales are too few: the test needs two windows of {horizon} "
            "days and purchases before them",
        ),
        (
            min(fitted, tested) < MIN_CUSTOMERS,
            f"too few customers ordered again: {fitted} in the window to fit on and {tested} in the window "
            f"of the test, each of {horizon} days; both must have {MIN_CUSTOMERS}",
        ),
    )
    return next((f"no suggestions: {text}" for is_so, text in found if is_so), "")


def _result(found: Tested, tested_from: date, horizon: int) -> str:
    figures = (
        f"of {found.customers} customers' next orders in the {horizon} days from {tested_from}, "
        f"{100 * found.hit_rate:.1f} % had one of the {SUGGESTED} suggested products and "
        f"{100 * found.popular_hit_rate:.1f} % one of the {SUGGESTED} best-selling ones "
        f"(difference {100 * found.difference:+.1f} points, standard error "
        f"{100 * found.standard_error:.1f})"
    )
    if found.is_better:
        return figures
    return f"no suggestions: they are not clearly better than the best-selling products: {figures}"


_SCHEMA = pa.schema(
    [
        ("tested_from", pa.date32()),
        ("horizon_days", pa.int32()),
        ("is_used", pa.bool_()),
        ("reason", pa.string()),
        ("tested_customers", pa.int64()),
        ("hit_rate_at_5", pa.float64()),
        ("popular_hit_rate_at_5", pa.float64()),
        ("hit_rate_difference", pa.float64()),
        ("difference_standard_error", pa.float64()),
        ("fitted_customers", pa.int64()),
        *((f"{kind}_{name}", pa.float64()) for kind, names in TERMS.items() for name in names),
    ]
)

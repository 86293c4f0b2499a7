"""When customers order next: the first order between two cutoffs, and the curve of the days ahead."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.models.churn import next_order as churn_next_order
from include.models.purchases import next_order
from include.models.purchases.mbgnbd import MbgNbd

ANCHOR = date(2025, 1, 1)
YEAR = 365


def features(cutoff: date, orders: dict[str, list[date]]) -> pa.Table:
    """What the next order reads of customer_features, from each customer's days with an order."""
    rows = []
    for customer, all_days in sorted(orders.items()):
        days = sorted((cutoff - day).days for day in all_days if day < cutoff)
        if not days:
            continue
        rows.append(
            {
                "customer_id": customer,
                "sale_day_count": len(days),
                "frequency": len(days) - 1,
                "recency_days": days[-1] - days[0],
                "age_days": days[-1],
                "days_since_last_order": days[0],
                **{
                    f"days_since_order_{rank}": days[rank - 1] if len(days) >= rank else None
                    for rank in (2, 3, 5, 10)
                },
            }
        )
    return pa.Table.from_pylist(rows)


def test_the_first_order_after_a_cutoff_follows_from_the_last_orders_at_a_later_one():
    cutoff, day = date(2024, 1, 1), timedelta(days=1)
    orders = {
        "a": [cutoff - 9 * day],
        "b": [cutoff - 9 * day, cutoff + 40 * day],
        "c": [cutoff - 9 * day, cutoff + 10 * day, cutoff + 50 * day, cutoff + 90 * day],
        "d": [cutoff - 9 * day, *(cutoff + at * day for at in (20, 40, 60, 80))],
        "e": [cutoff + 5 * day],
    }
    rows, after = features(cutoff, orders), features(cutoff + 100 * day, orders)

    at, first = churn_next_order._first_order(rows, after, 100)

    assert at.tolist() == [0, 1, 2, 3]
    # Of d's four orders, the last three are known: the first lies before the 40th day.
    assert first.tolist() == [np.inf, 40.0, 10.0, 20.0]


def winter_firm(customers: int = 2_000) -> dict[str, list[date]]:
    """Customers who order once a year, in December, until they leave."""
    random = np.random.default_rng(5)
    found = {}
    for number in range(customers):
        years = range(2019 + int(random.integers(0, 3)), 2026)
        left = random.geometric(0.25)
        found[f"c{number:04}"] = [date(year, 12, 1 + int(random.integers(0, 28))) for year in years][:left]
    return found


def test_customers_of_a_seasonal_firm_order_by_their_median_day_in_half_of_the_cases():
    orders = winter_firm()
    cutoffs = [ANCHOR - timedelta(days=YEAR + n * 121) for n in range(9)][::-1]
    chance = {}
    windows = []
    for cutoff in cutoffs:
        rows = features(cutoff, orders)
        silent = rows["days_since_last_order"].to_numpy()
        chance[cutoff] = np.where(silent <= YEAR, 0.25, 0.999)
        windows.append((cutoff, rows, chance[cutoff]))
    now = features(ANCHOR, orders)
    stays = np.where(now["days_since_last_order"].to_numpy() <= YEAR, 0.25, 0.999)
    fitted = churn_next_order.fit([*windows, (ANCHOR, now, None)], anchor=ANCHOR, horizon_days=YEAR)

    columns = churn_next_order.columns(
        now.combine_chunks().to_batches()[0],
        churn_next_order.from_json(fitted),
        stays,
        horizon_days=YEAR,
        as_of=ANCHOR,
    )

    medians = columns["next_order_date_50_pct"].to_pylist()
    first = [
        min((day for day in orders[name] if day >= ANCHOR), default=date.max)
        for name in now["customer_id"].to_pylist()
    ]
    ordered = [a < median for a, median in zip(first, medians, strict=True) if median]
    assert len(ordered) > 500
    assert 0.4 <= np.mean(ordered) <= 0.6
    assert {median.month for median in medians if median} == {12}


def test_the_mean_chance_of_each_number_of_days_is_the_realised_one():
    model = MbgNbd.from_row(_row())
    x, t_x, T = np.full(500, 2.0), np.full(500, 20.0), np.full(500, 30.0)
    customers = next_order.hazard(model, x, t_x, T, none_in_horizon=np.full(500, 0.5), horizon_days=90)
    seen = [
        next_order.Seen(float(days), customers, np.arange(500) < share * 500)
        for days, share in ((30, 0.05), (60, 0.06), (180, 0.8))
    ]

    found = next_order.predict(customers, next_order.fit_timing(seen, horizon_days=90), horizon_days=90)

    assert found.within[30].mean() == pytest.approx(0.05, abs=0.002)
    assert found.within[90].mean() == pytest.approx(0.5, abs=0.002)
    assert np.all((found.quartiles[1] > 60) & (found.quartiles[1] <= 90))


def _row() -> dict[str, object]:
    from include.models.purchases import likelihood, mbgnbd

    random = np.random.default_rng(1)
    T = random.integers(50, 300, 400)
    x = random.poisson(T / 60)
    t_x = np.where(x > 0, (T * random.uniform(0.3, 1.0, 400)).astype(int), 0)
    return mbgnbd.fit(likelihood.group(x, t_x, T)).to_row()

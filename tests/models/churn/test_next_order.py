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

    at, earliest, hidden = churn_next_order._first_orders(rows, after, 100)

    assert at.tolist() == [0, 1, 2, 3]
    # Of d's four orders, the last three are known: the first lies before the 40th day.
    assert earliest.tolist() == [np.inf, 40.0, 10.0, 40.0]
    assert hidden.tolist() == [0.0, 0.0, 0.0, 1.0]


def test_the_chance_of_a_first_order_on_a_hidden_day_is_that_of_all_days_it_may_lie_on():
    earliest, hidden = np.array([6.0, 6.0, 2.0, 5.0, np.inf]), np.array([0.0, 2.0, 2.0, 1.0, 0.0])

    found = [churn_next_order.chance_of_first(earliest, hidden, days).tolist() for days in (1, 3, 7)]

    # Two of the days 0 to 5: day 0 is one of them in 1 - C(5, 2) / C(6, 2) of the cases.
    assert found[0] == pytest.approx([0.0, 1 - 10 / 15, 1.0, 0.2, 0.0])
    assert found[1] == pytest.approx([0.0, 1 - 3 / 15, 1.0, 0.6, 0.0])
    assert found[2] == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.0])


def daily_shop(customers: int = 1_500) -> dict[str, list[date]]:
    """Customers of a grocer: an order every two to twelve days, in two years."""
    random = np.random.default_rng(3)
    found = {}
    for number in range(customers):
        rate = random.gamma(3.0, 0.06)
        days = np.flatnonzero(random.random(2 * YEAR) < min(rate, 0.9))
        found[f"c{number:04}"] = [ANCHOR - timedelta(days=int(2 * YEAR - 60 - day)) for day in days]
    return {name: days for name, days in found.items() if days}


def test_customers_who_order_every_few_days_order_by_their_median_day_in_half_of_the_cases():
    orders = daily_shop()
    chance = {name: float(np.exp(-30 * len(days) / (2 * YEAR))) for name, days in orders.items()}
    windows = []
    for cutoff in [ANCHOR - timedelta(days=30 * n) for n in range(6)][::-1]:
        rows = features(cutoff, orders)
        none = np.array([chance[name] for name in rows["customer_id"].to_pylist()])
        windows.append((cutoff, rows, none if cutoff < ANCHOR else None))
    now = windows[-1][1]
    stays = np.array([chance[name] for name in now["customer_id"].to_pylist()])
    fitted = churn_next_order.fit(windows, anchor=ANCHOR, horizon_days=30)

    medians = churn_next_order.columns(
        now.combine_chunks().to_batches()[0],
        churn_next_order.from_json(fitted),
        stays,
        horizon_days=30,
        as_of=ANCHOR,
    )["next_order_date_50_pct"].to_pylist()

    known = [
        (min((day for day in orders[name] if day >= ANCHOR), default=date.max), median)
        for name, median in zip(now["customer_id"].to_pylist(), medians, strict=True)
        if median
    ]
    assert len(known) > 1_000
    assert 0.46 <= np.mean([first <= median for first, median in known]) <= 0.54


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
    ordered = [a <= median for a, median in zip(first, medians, strict=True) if median]
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

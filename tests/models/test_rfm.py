import math
import random
from collections import Counter
from datetime import date
from decimal import Decimal
from statistics import median

import pyarrow as pa
import pytest

from include.datasets.computed import CUSTOMER_SUMMARY, FIRM_RHYTHM, RFM, RFM_CUTS, RFM_VALUES, SEGMENTS
from include.firms import Rfm
from include.models import rfm, segments

AS_OF = date(2025, 2, 1)


class Firm:
    min_spend = 0
    min_orders = 1
    churn_threshold_days = 90

    def __init__(self, **settings):
        self.rfm = Rfm(**settings)


def summary(*customers):
    """Customers as (id, days since last order, orders, spend)."""
    rows = [
        {
            "customer_id": key,
            "first_order_date": date(2020, 1, 1),
            "last_order_date": date(2024, 1, 1),
            "days_since_last_order": days,
            "frequency": orders - 1,
            "avg_days_between_orders": 20.0 if orders > 1 else None,
            "recency_days": 0,
            "age_days": 1000,
            "return_count": 0,
            "order_count": orders,
            "total_spend": Decimal(spend),
            "window_orders": orders,
            "window_spend": Decimal(spend),
            **{f"order_count_{n}_days": 0 for n in (30, 90, 180, 365)},
            **{f"total_spend_{n}_days": Decimal(0) for n in (30, 90, 180, 365)},
        }
        for key, days, orders, spend in customers
    ]
    return pa.RecordBatch.from_pylist(rows, schema=CUSTOMER_SUMMARY.schema)


def values(batch):
    """rfm_values by counting, as ``rfm_values.sql`` does on the engine."""
    rows = []
    for metric, column in rfm.METRICS.items():
        counts = Counter(batch.column(column).to_pylist())
        for value, count in counts.items():
            worse = sum(n for v, n in counts.items() if (v > value if metric == "recency" else v < value))
            rows.append(
                {
                    "metric": metric,
                    "metric_value": Decimal(value),
                    "customers": count,
                    "customers_worse": worse,
                }
            )
    return pa.Table.from_pylist(rows, schema=RFM_VALUES.schema)


def rhythm_of(batch):
    """firm_rhythm of the batch, as ``firm_rhythm.sql`` computes it on the engine."""
    gaps = [gap for gap in batch.column("avg_days_between_orders").to_pylist() if gap is not None]
    row = {
        "customers": batch.num_rows,
        "repeat_customers": len(gaps),
        "median_days_between_orders": median(gaps) if gaps else None,
    }
    return pa.Table.from_pylist([row], schema=FIRM_RHYTHM.schema)


def score(batch, firm):
    cuts = rfm.fit(values(batch), firm=firm, as_of=AS_OF)
    RFM_CUTS.check(cuts.cast(RFM_CUTS.schema))
    table = segments.compute(rhythm_of(batch), firm=firm, as_of=AS_OF)
    SEGMENTS.conform(table.to_batches()[0])
    params = rfm.prepare(cuts, table, firm=firm, as_of=AS_OF)
    return {
        row["customer_id"]: row
        for row in RFM.conform(rfm.predict(batch, params, firm=firm, as_of=AS_OF)).to_pylist()
    }


def hundred():
    return [(f"c{i:03}", 1 + i, 1 + i % 7, 10 + (i * 37) % 100) for i in range(100)]


def test_scores_are_quintiles_of_the_mid_rank():
    batch = summary(*hundred())

    scores = score(batch, Firm())

    spends = [spend for *_, spend in hundred()]
    for key, _, _, spend in hundred():
        below = sum(other < spend for other in spends)
        own = sum(other == spend for other in spends)
        assert scores[key]["monetary_score"] == min(5, max(1, math.ceil(5 * (below + own / 2) / 100)))


def test_equal_customers_share_a_score_whatever_their_number():
    batch = summary(*[(f"c{i}", 5, 1, 10) for i in range(70)], *[(f"d{i}", 5, i + 2, 10) for i in range(30)])

    scores = score(batch, Firm())

    assert {row["frequency_score"] for key, row in scores.items() if key.startswith("c")} == {2}
    assert {row["recency_score"] for row in scores.values()} == {3}


def test_a_mid_rank_that_is_the_quantile_itself_scores_below_it():
    least, more = [(f"c{i}", 5, 1, 10) for i in range(40)], [(f"d{i}", 5, 2, 20) for i in range(60)]

    scores = score(summary(*least, *more), Firm())

    # The mid-rank of 40 of 100 is 20 %, of the 60 above them 70 %.
    assert {row["monetary_score"] for key, row in scores.items() if key.startswith("c")} == {1}
    assert {row["monetary_score"] for key, row in scores.items() if key.startswith("d")} == {4}


def test_the_fewest_customers_are_enough_and_the_last_day_of_being_new_is_new():
    batch = summary(*hundred())  # a hundred, who first bought 1000 days ago

    at, beyond = (
        score(batch, Firm(min_customers=fewest, new_days=days, active_days=1000, passive_days=1001))["c099"]
        for fewest, days in ((100, 1000), (101, 999))
    )

    assert (at["recency_score"], at["activity_status"]) == (1, "New")
    assert (beyond["recency_score"], beyond["activity_status"]) == (None, "Active")


def test_shuffling_the_customers_changes_no_score():
    customers = hundred()
    ordered = score(summary(*customers), Firm())
    random.Random(7).shuffle(customers)

    shuffled = score(summary(*customers), Firm())

    assert shuffled == ordered


def test_recent_customers_score_higher():
    scores = score(summary(*hundred()), Firm())

    assert scores["c000"]["recency_score"] == 5
    assert scores["c099"]["recency_score"] == 1
    assert scores["c000"]["recency_percentile"] == 99.5


def test_percentiles_are_the_mid_rank_share():
    batch = summary(*[(f"c{i}", 5, 1 if i < 10 else 2, 10) for i in range(40)])

    scores = score(batch, Firm())

    assert scores["c0"]["frequency_percentile"] == 12.5
    assert scores["c39"]["frequency_percentile"] == 62.5


def test_the_composite_is_the_three_digits_and_names_a_segment():
    row = score(summary(*hundred()), Firm())["c000"]

    cell = (row["recency_score"], row["frequency_score"], row["monetary_score"])
    assert row["rfm_score"] == "".join(map(str, cell))
    assert row["segment_of_cell"] == segments.cells_of(segments.SEGMENTS)[cell]


@pytest.mark.parametrize("customers", [1, 2, 19])
def test_too_few_customers_are_not_scored_and_the_status_gives_the_reason(customers):
    batch = summary(*hundred()[:customers])
    firm = Firm()

    scores = score(batch, firm)

    assert len(scores) == customers
    assert {row["rfm_score"] for row in scores.values()} == {None}
    assert {row["segment_code"] for row in scores.values()} == {"unscored"}
    is_sufficient, reason = rfm.status(rfm.fit(values(batch), firm=firm, as_of=AS_OF), firm=firm)
    assert not is_sufficient
    assert "fewer than 20 customers" in reason


def test_a_firm_without_customers_has_no_cuts_and_the_status_gives_the_reason():
    cuts = rfm.fit(RFM_VALUES.schema.empty_table(), firm=Firm(), as_of=AS_OF)

    assert cuts.num_rows == 0
    assert rfm.status(cuts, firm=Firm()) == (
        False, "no customer has a sale before as_of, so there is no customer to score",
    )  # fmt: skip


def test_customers_below_the_firms_minimum_are_kept_unscored():
    firm = Firm()
    firm.min_spend = 15
    batch = summary(*hundred())

    scores = score(batch, firm)

    assert len(scores) == 100
    assert all((row["rfm_score"] is None) == (row["total_spend"] < 15) for row in scores.values())


def test_without_a_minimum_a_customer_who_returned_everything_is_scored():
    batch = summary(("back", 5, 1, -3), *hundred())

    scores = score(batch, Firm())

    assert scores["back"]["monetary_score"] == 1


def test_a_firms_own_quantiles_move_the_cuts():
    scores = score(summary(*hundred()), Firm(quantiles=(0.5, 0.8, 0.9, 0.95)))

    assert Counter(row["recency_score"] for row in scores.values()) == {1: 50, 2: 30, 3: 10, 4: 5, 5: 5}


def test_status_follows_the_days_since_the_last_order():
    batch = summary(("a", 90, 1, 1), ("b", 91, 1, 1), ("c", 180, 1, 1), ("d", 181, 1, 1))

    scores = score(batch, Firm())

    assert [scores[k]["activity_status"] for k in "abcd"] == ["Active", "At risk", "At risk", "Passive"]


def test_cuts_stay_small_when_every_value_differs():
    batch = summary(*[(f"c{i:06}", 1 + i % 900, 1, f"{i / 100:.2f}") for i in range(30_000)])

    cuts = rfm.fit(values_by_rank(batch), firm=Firm(), as_of=AS_OF)

    assert cuts.num_rows <= 3 * 10_001


def values_by_rank(batch):
    """rfm_values for many distinct values, without the quadratic count."""
    rows = []
    for metric, column in rfm.METRICS.items():
        counts = sorted(Counter(batch.column(column).to_pylist()).items(), reverse=metric == "recency")
        worse = 0
        for value, count in counts:
            rows.append(
                {
                    "metric": metric,
                    "metric_value": Decimal(value),
                    "customers": count,
                    "customers_worse": worse,
                }
            )
            worse += count
    return pa.Table.from_pylist(rows, schema=RFM_VALUES.schema)

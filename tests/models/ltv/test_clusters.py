"""Behavioural clusters: found, described in words, and stable for every run that uses an anchor's model."""

import json

import numpy as np
import pyarrow as pa

from include.models.ltv import clusters


def customers(*groups, seed=1):
    """Customers about each (how many, orders, days of silence, basket)."""
    random = np.random.default_rng(seed)
    parts = []
    for count, orders, silence, basket in groups:
        noise = random.normal(1.0, 0.05, (count, 3))
        parts.append(np.maximum(noise * (orders, silence, basket), 1.0))
    orders, silence, basket = np.vstack(parts).T
    return pa.table(
        {
            "order_count": np.rint(orders).astype(np.int64),
            "days_since_last_order": np.rint(silence).astype(np.int64),
            "avg_order_value": basket,
        }
    )


THREE = ((100, 20, 5, 10.0), (100, 4, 40, 100.0), (200, 1, 300, 30.0))


def descriptions(rows, fitted):
    _, descriptions = clusters.assign(rows, fitted)
    return descriptions.to_pylist()


def test_three_kinds_of_customers_are_found_and_described():
    rows = customers(*THREE)

    fitted = clusters.fit(rows, churn_threshold_days=30)

    assert descriptions(rows, fitted) == [
        *["frequent, small baskets, recently active"] * 100,
        *["frequent, large baskets, cooling off"] * 100,
        *["one order, usual baskets, long silent"] * 200,
    ]
    assert fitted["codes"][-1] == "one_order_usual_baskets_long_silent"
    assert fitted["reason"].startswith("3 clusters by behaviour")


def test_a_customer_keeps_its_label_from_run_to_run_of_an_anchor():
    rows = customers(*THREE)
    fitted = json.loads(json.dumps(clusters.fit(rows, churn_threshold_days=30)))
    some = rows.take(np.random.default_rng(4).permutation(rows.num_rows)[:50])

    again = clusters.fit(rows, churn_threshold_days=30)

    assert again == fitted
    alone = [descriptions(some.slice(n, 1), fitted)[0] for n in range(50)]
    assert alone == descriptions(some, fitted)


def test_a_label_means_the_same_at_the_next_anchor_whatever_else_changed():
    first = clusters.fit(customers(*THREE), churn_threshold_days=30)
    grown = customers(*reversed(THREE), (60, 9, 8, 11.0), seed=9)

    second = clusters.fit(grown, churn_threshold_days=30)

    best = customers((1, 20, 5, 10.0))
    assert (
        descriptions(best, first)
        == descriptions(best, second)
        == ["frequent, small baskets, recently active"]
    )


def test_clusters_with_the_same_description_get_a_word_for_their_largest_difference():
    words = [("regular", "usual baskets", "recently active")] * 2 + [("one order", "usual", "long silent")]
    centres = np.array([[0.5, 0.2, 0.0], [0.6, 1.4, 0.1], [-1.0, 2.0, 0.0]])

    unique = clusters._disambiguate(words, centres)

    assert [some[-1] for some in unique] == ["seen later", "seen earlier", "long silent"]
    assert len(set(unique)) == 3


def test_identical_customers_have_no_clusters():
    rows = customers((100, 1, 300, 10.0)).set_column(2, "avg_order_value", pa.array([10.0] * 100))
    rows = rows.set_column(1, "days_since_last_order", pa.array([300] * 100))

    fitted = clusters.fit(rows, churn_threshold_days=30)

    assert descriptions(rows, fitted) == [None] * 100
    assert "no clusters" in fitted["reason"]

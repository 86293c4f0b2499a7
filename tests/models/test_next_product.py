"""Next product: the weights, the test that decides, and the reasons of firms that get no suggestions."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from include.datasets.next_product import (
    NEXT_PRODUCT_CANDIDATES,
    NEXT_PRODUCT_EVIDENCE,
    NEXT_PRODUCT_MODEL,
    NEXT_PRODUCT_TESTS,
    NEXT_PRODUCTS,
)
from include.engines import open_engine
from include.models import next_product
from include.sql_text import read

AS_OF = date(2025, 3, 1)
FIRM = SimpleNamespace(churn_threshold_days=30)
ENOUGH = {"product_count": 50, "customer_count": 900, "repeat_customer_count": 800, "history_days": 400}
EARLIER, LATER = AS_OF - timedelta(days=60), AS_OF - timedelta(days=30)


def candidate(cutoff: date, customer: int, product: str, **known: object) -> dict[str, object]:
    row = {
        "cutoff": cutoff,
        "customer_id": f"c{customer:04}",
        "product_id": product,
        "kind": "repeat",
        "purchase_days": 1,
        "order_days": 4,
        "together_share": 0.0,
        "popularity": 0.5,
        "is_bought_next": False,
        "is_popular_bought_next": False,
    }
    return row | known


def past_candidates(
    *, customers: int = 300, habit: float = 0.8, popular: float = 0.3, seed: int = 1, products: int = 7
) -> pa.Table:
    """Customers who buy their habit next with one chance, and a best-selling product with another."""
    random = np.random.default_rng(seed)
    rows = []
    for cutoff in (EARLIER, LATER):
        for customer in range(customers):
            is_popular = bool(random.random() < popular)
            for place in range(products):
                is_habit = place == products - 1  # the last by name: only its chance can place it first
                rows.append(
                    candidate(
                        cutoff,
                        customer,
                        f"p{place}",
                        purchase_days=4 if is_habit else 1,
                        is_bought_next=bool(is_habit and random.random() < habit),
                        is_popular_bought_next=is_popular,
                    )
                )
    return pa.Table.from_pylist(rows, schema=NEXT_PRODUCT_TESTS.schema)


def fitted(tests: pa.Table, **evidence: int) -> dict[str, object]:
    found = pa.Table.from_pylist([ENOUGH | evidence], schema=NEXT_PRODUCT_EVIDENCE.schema)
    (row,) = next_product.fit(tests, found, firm=FIRM, as_of=AS_OF).to_pylist()
    return row


def test_a_habit_that_beats_the_best_selling_products_is_suggested():
    row = fitted(past_candidates())

    assert row["is_used"]
    assert row["tested_from"] == LATER
    assert (row["fitted_customers"], row["tested_customers"]) == (300, 300)
    assert row["hit_rate_at_5"] == pytest.approx(0.8, abs=0.06)
    assert row["popular_hit_rate_at_5"] == pytest.approx(0.3, abs=0.08)
    assert row["hit_rate_difference"] == pytest.approx(
        row["hit_rate_at_5"] - row["popular_hit_rate_at_5"], abs=1e-12
    )
    assert row["repeat_rate_weight"] > 0
    assert "of 300 customers' next orders in the 30 days from 2025-01-30" in row["reason"]


def test_suggestions_that_are_no_better_than_the_best_selling_products_are_off_and_the_figures_say_why():
    row = fitted(past_candidates(habit=0.3, popular=0.3))

    assert not row["is_used"]
    assert row["reason"].startswith("no suggestions: they are not clearly better")
    assert row["hit_rate_at_5"] is not None


def test_the_standard_error_is_that_of_the_paired_differences():
    tests = past_candidates(customers=150, habit=0.5)
    row = fitted(tests)

    later = tests.filter(pa.compute.equal(tests["cutoff"], pa.scalar(LATER))).to_pylist()
    by_customer: dict[str, list] = {}
    for one in later:
        by_customer.setdefault(one["customer_id"], []).append(one)
    differences = [
        float(any(one["is_bought_next"] for one in rows)) - float(rows[0]["is_popular_bought_next"])
        for rows in by_customer.values()
    ]  # the habit is always among the first five: nothing else is bought
    assert row["hit_rate_difference"] == pytest.approx(np.mean(differences))
    assert row["difference_standard_error"] == pytest.approx(
        np.std(differences, ddof=1) / np.sqrt(len(differences))
    )


def test_only_the_first_five_count_as_suggested():
    """With eight equal candidates the five first by name are suggested; the eighth is bought, and no hit."""
    rows = [
        candidate(cutoff, customer, f"p{place}", is_bought_next=place == 7)
        for cutoff in (EARLIER, LATER)
        for customer in range(120)
        for place in range(8)
    ]

    row = fitted(pa.Table.from_pylist(rows, schema=NEXT_PRODUCT_TESTS.schema))

    assert row["hit_rate_at_5"] == 0.0
    assert not row["is_used"]


def test_the_weights_are_fitted_on_the_earlier_window_alone():
    tests = past_candidates()
    changed = [
        row | ({"is_bought_next": not row["is_bought_next"]} if row["cutoff"] == LATER else {})
        for row in tests.to_pylist()
    ]

    other = fitted(pa.Table.from_pylist(changed, schema=tests.schema))

    weights = [name for name in NEXT_PRODUCT_MODEL.schema.names if name.endswith(("_weight", "_intercept"))]
    assert {name: other[name] for name in weights} == {name: fitted(tests)[name] for name in weights}


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({"product_count": 0, "customer_count": 0}, "the sales name no product"),
        ({"customer_count": 0}, "no sale of a product names its customer"),
        ({"product_count": 1}, "number of products sold so far: 1;"),
        ({"repeat_customer_count": 0}, "no customer has bought on a second day"),
        ({"history_days": 60}, "60 days of sales are too few"),
        ({}, "too few customers ordered again: 0 in the window to fit on"),
    ],
)
def test_a_firm_without_evidence_gets_no_suggestion_and_the_reason(evidence, reason):
    row = fitted(NEXT_PRODUCT_TESTS.schema.empty_table(), **evidence)

    assert not row["is_used"]
    assert row["reason"].startswith(f"no suggestions: {reason}")
    assert row["hit_rate_at_5"] is None
    assert row["repeat_intercept"] is None
    assert next_product.status(pa.Table.from_pylist([row]), firm=FIRM) == (False, row["reason"])


def test_the_logistic_regression_is_that_of_scikit_learn():
    random = np.random.default_rng(5)
    x = np.column_stack([np.ones(400), random.normal(size=(400, 2))])
    happened = random.random(400) < 1 / (1 + np.exp(-(x @ [-1.0, 2.0, -0.5])))

    found = next_product.fit_logistic(x, happened)

    other = LogisticRegression(C=1.0, tol=1e-10, max_iter=500).fit(x[:, 1:], happened)
    assert found == pytest.approx([other.intercept_[0], *other.coef_[0]], abs=1e-4)


@pytest.mark.parametrize("happened", [False, True])
def test_weights_are_finite_where_nothing_or_all_was_bought(happened):
    x = np.column_stack([np.ones(50), np.linspace(0, 1, 50)])

    weights = next_product.fit_logistic(x, np.full(50, happened))

    assert np.isfinite(weights).all()
    assert (x @ weights > 0).all() == happened


def test_the_query_gives_the_chances_of_the_tested_model(tmp_path):
    """``next_products.sql`` and ``terms`` are one formula, in two languages."""
    rows = [
        candidate(AS_OF, customer, f"p{place}", kind=kind, purchase_days=days, order_days=2 + customer,
                  together_share=0.1 * place, popularity=(1 + place) / 5, is_bought_next=None,
                  is_popular_bought_next=None)
        for customer in range(3)
        for place, (kind, days) in enumerate([("repeat", 1), ("repeat", 3), ("new", 0), ("new", 0)])
    ]  # fmt: skip
    candidates = pa.Table.from_pylist(rows, schema=NEXT_PRODUCT_TESTS.schema)
    model = {
        field.name: 0.1 * place - 0.7
        for place, field in enumerate(NEXT_PRODUCT_MODEL.schema)
        if pa.types.is_float64(field.type)
    } | {"is_used": True}
    files = {}
    for name, table in {
        "next_product_candidates": candidates,
        "next_product_model": pa.Table.from_pylist(
            [{f.name: model.get(f.name) for f in NEXT_PRODUCT_MODEL.schema}],
            schema=pa.schema([f.with_nullable(True) for f in NEXT_PRODUCT_MODEL.schema]),
        ),
    }.items():
        files[name] = tmp_path / f"{name}.parquet"
        pa.parquet.write_table(table, files[name])
    engine = open_engine("duckdb", memory_mb=256, threads=1, scratch=tmp_path)

    table = engine.table(
        read("query", "next_products"),
        [(dataset, [files[dataset.name]]) for dataset in (NEXT_PRODUCT_CANDIDATES, NEXT_PRODUCT_MODEL)],
        {"as_of": AS_OF},
    )

    found = {
        (row["customer_id"], row["product_id"]): row["purchase_probability"] for row in table.to_pylist()
    }
    for kind, names in next_product.TERMS.items():
        of_kind = candidates.filter(pa.compute.equal(candidates["kind"], kind))
        log_odds = next_product.terms(of_kind, kind) @ [model[f"{kind}_{name}"] for name in names]
        for row, value in zip(of_kind.to_pylist(), log_odds, strict=True):
            assert found[row["customer_id"], row["product_id"]] == pytest.approx(
                1 / (1 + np.exp(-value)), abs=1e-6
            )
    assert set(table.schema.names) == set(NEXT_PRODUCTS.schema.names)

"""Value in a real server: what snapshots expected, against what was spent once their windows had passed."""

from datetime import date

import pytest

from tests.warehouse.shop import returned, sale
from tests.warehouse.value_rows import load, valued

AS_OF, END, YEAR_END = date(2025, 3, 10), date(2025, 4, 9), date(2026, 3, 10)


def score(shop):
    return shop.warehouse.loader.score("ltv", firm_key="acme", step="score_ltv")


def expects(customer, amount, deviation, **more):
    return valued(
        customer,
        spend_horizon_days=30,
        expected_spend_horizon=amount,
        spend_deviation_horizon=deviation,
        total_doubt_horizon=0.1,
        total_reach=1.5,
        **more,
    )


def predicted(shop, *, as_of=END):
    """Of 200 expected 160 is spent: ann 90 less a return of 10, bob 50, dan 30; cid's comes a day late."""
    shop.sales(
        "2025-03",
        sale("0", date(2025, 3, 9), "ann", 500),
        sale("1", AS_OF, "ann", 90),
        returned("2", date(2025, 3, 20), "ann", 10),
        sale("3", date(2025, 3, 31), "bob", 50),
        as_of=as_of,
    )
    shop.sales("2025-04", sale("4", date(2025, 4, 8), "dan", 30), sale("5", END, "cid", 70), as_of=as_of)
    load(
        shop,
        AS_OF,
        expects("ann", 100, 30.0),
        expects("bob", 40, 20.0),
        expects("cid", 40, 20.0),
        expects("dan", 20, 10.0),
        valued("new", year=None),
    )


def test_what_was_expected_is_compared_with_net_spend_in_its_window(shop):
    predicted(shop)

    score(shop)

    # Room: 1.5 sqrt(30^2 + 20^2 + 20^2 + 10^2 + (.1 x 200)^2) = 70.356. Gini: places of prediction -1.5 0 0
    # 1.5 gather 80 x 1.5 - 30 x 1.5 = 75, those of spend 120 + 25 - 15 = 130. Deciles: 20 + 30 + 10 of 160.
    (row,) = shop.ask(
        "select horizon_days, matured_on, customers, predicted_mean, realised_mean, predicted_total, "
        "round(predicted_low::numeric, 3)::float, round(predicted_high::numeric, 3)::float, realised_total, "
        "lift, round(normalised_gini::numeric, 4)::float, calibration_error, method, model_version "
        "from analytics.fact_scorecard where decile = 0"
    )
    assert row == (
        *(30, END, 4, 50.0, 40.0, 200.0),
        *(129.644, 270.356, 160.0, 1.0, 0.5769, 0.375, "bgnbd", "ltv-x"),
    )


def test_deciles_go_up_with_expectation_and_equal_ones_share_one(shop):
    predicted(shop)

    score(shop)

    rows = shop.ask(
        "select decile, customers, predicted_mean, realised_mean, lift, predicted_low "
        "from analytics.fact_scorecard where decile > 0 order by decile"
    )
    assert rows == [
        (2, 1, 20.0, 30.0, 0.75, None),
        (6, 2, 40.0, 25.0, 0.625, None),
        (9, 1, 100.0, 80.0, 2.0, None),
    ]


def test_a_year_is_scored_beside_the_horizon_once_it_has_passed(shop):
    predicted(shop)
    score(shop)
    load(shop, AS_OF, expects("ann", 100, 30.0, expected_spend_1_year=600), expects("bob", 40, 20.0))

    shop.sales("2026-03", sale("9", date(2026, 3, 9), "ann", 20), as_of=YEAR_END)
    score(shop)

    # ann 80 + 20; bob has no expectation for the year. The horizon is scored anew, for the snapshot changed:
    # room is 1.5 sqrt(30^2 + 20^2 + 14^2) = 58.017.
    assert shop.ask(
        "select horizon_days, customers, predicted_total, realised_total, predicted_low "
        "from analytics.fact_scorecard where decile = 0 and module = 'ltv' order by 1"
    ) == [(30, 2, 140.0, 130.0, pytest.approx(81.983, abs=0.001)), (365, 1, 600.0, 100.0, None)]


def test_a_scorecard_stays_until_a_correction_changes_what_it_was_made_from(shop):
    predicted(shop, as_of=date(2025, 4, 30))
    first, again = score(shop), score(shop)

    shop.sales("2025-04", as_of=date(2025, 4, 30))

    assert (first, again, score(shop)) == (4, 0, 4)
    assert shop.ask("select realised_total from analytics.fact_scorecard where decile = 0") == [(130.0,)]


def test_a_window_that_has_not_passed_and_a_firm_without_value_are_not_scored(shop):
    predicted(shop, as_of=date(2025, 4, 8))
    early = score(shop)

    load(shop, AS_OF, *(expects(name, 1, 1.0, method="none") for name in ("ann", "bob")))
    shop.sales("2025-05", as_of=date(2025, 6, 1))

    assert (early, score(shop)) == (0, 0)

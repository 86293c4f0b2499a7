"""Loads beside another firm that uses the same names, and beside other models and products of one's own."""

from datetime import date

import pytest

from include.firms import parse_firm
from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.shop import ACME, Shop, sale

MARCH, APRIL, AS_OF = date(2026, 3, 1), date(2026, 4, 1), date(2026, 4, 10)


@pytest.fixture
def other(shop):
    """Another firm in the same warehouse."""
    other = Shop(shop.dsn, "zeta")
    yield other
    other.warehouse.close()


def trained(firm, anchor, feature, **more) -> str:
    """Load a model whose evidence bears the name of a feature."""
    used = {"feature": feature, "factor": "overdue", "gain": 1.0, "splits": 2, "mean_contribution": 1}
    measured = {"candidate": feature, "population": "all", "is_champion": True, "cutoff": "2026-02-01"}
    measured |= dict.fromkeys(("customers", "churned", "true_positives", "false_positives"), 4)
    measured |= {"false_negatives": 0, "true_negatives": 0, "brier": 0.2, "threshold": 0.5}
    canary = {"check": feature, "observed": 0.5, "allowed": 0.1, "passed": True, "message": "fine"}
    return model(firm, anchor, canaries=[canary], importances=[used], metrics=[measured], **more)


def test_a_model_replaces_the_evidence_of_its_own_firm_and_anchor_alone(shop, other):
    trained(shop, MARCH, "march")
    trained(other, APRIL, "zeta")
    trained(shop, APRIL, "april")

    trained(shop, APRIL, "anew")

    kept = [
        shop.ask(f"select firm_key, anchor, {name} from {table} order by 1, 2")
        for table, name in (
            ("analytics.churn_feature_importances join analytics.dim_firm using (firm_sk)", "feature"),
            ("analytics.churn_performance_metrics join analytics.dim_firm using (firm_sk)", "candidate"),
            ("control.model_checks join analytics.dim_firm using (firm_sk)", "check_name"),
        )
    ]
    assert kept == [[("acme", MARCH, "march"), ("acme", APRIL, "anew"), ("zeta", APRIL, "zeta")]] * 3
    assert shop.ask("select firm_key, anchor from control.models where is_standing order by 1, 2") == [
        ("acme", MARCH),
        ("acme", APRIL),
        ("zeta", APRIL),
    ]


def test_risk_has_the_horizon_of_the_model_it_names(shop, other):
    version = trained(shop, MARCH, "march", horizon=30)
    trained(shop, APRIL, "april", horizon=60)
    trained(other, MARCH, "march", horizon=30)
    other.customers(AS_OF, {"customer_id": "ann"})

    shop.load("fact_customer_churn_risk", AS_OF.isoformat(), [at_risk("ann", AS_OF, version)])

    assert shop.ask(
        "select firm_key, customer_id, horizon_days from analytics.fact_customer_churn_risk as risk "
        "join analytics.dim_customer using (customer_sk) "
        "join analytics.dim_firm on dim_firm.firm_sk = dim_customer.firm_sk"
    ) == [("acme", "ann", 30)]


def test_each_line_keeps_its_own_firm_customer_and_product(shop, other):
    lines = [
        sale("1", APRIL, "ann", product_id="tea"),
        sale("2", APRIL, "bob", product_id="jam"),
        sale("3", APRIL, None, product_id=None),
    ]
    other.sales("2026-04", *lines)

    shop.sales("2026-04", *lines)

    rows = shop.ask(
        "select dim_firm.firm_key, transaction_id, customer_id, product_id from analytics.fact_sales as fact "
        "join analytics.dim_firm using (firm_sk) "
        "join analytics.dim_customer as who using (firm_sk, customer_sk) "
        "join analytics.dim_product as what using (firm_sk, product_sk) "
        "order by 1, 2"
    )
    bought = [("1", "ann", "tea"), ("2", "bob", "jam"), ("3", "(anonymous)", "(unknown)")]
    assert rows == [(firm, *line) for firm in ("acme", "zeta") for line in bought]


def test_each_firm_keeps_its_own_name_and_currency(shop, other):
    zeta = ACME | {"firm_key": "zeta", "name": "Zeta", "currency": "EUR"}
    other.warehouse.firms.save_firm(parse_firm(zeta), actor="test")

    for firm in (shop, other, shop):
        firm.sales("2026-04", sale("1", APRIL))

    assert shop.ask("select firm_key, firm_name, currency from analytics.dim_firm order by 1") == [
        ("acme", "Acme", "GBP"),
        ("zeta", "Zeta", "EUR"),
    ]

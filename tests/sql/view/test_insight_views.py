"""The firm's metrics and insight text, row by row on a hand-made shop."""

from datetime import date

from include.datasets.insight import FIRM_INSIGHT, FIRM_METRICS
from tests.warehouse.shop import TABLES

TABLES.update({"fact_firm_metric": FIRM_METRICS, "fact_firm_insight": FIRM_INSIGHT})
FIRST, OLD, NEW = date(2026, 11, 7), date(2026, 11, 14), date(2026, 11, 21)


def measure(shop, as_of, **values):
    """Load a snapshot of metrics; a name of two words is a metric and its member."""
    rows = [
        {"metric": metric, "member": member, "unit": "count", "metric_value": value, "definition": "Counted."}
        for metric, _, member, value in ((*name.partition("_"), value) for name, value in values.items())
    ]
    shop.load("fact_firm_metric", as_of.isoformat(), rows)


def sentence(place, text, *, language="en") -> dict:
    return {
        "language_code": language,
        "place": place,
        "is_firm_language": language == "en",
        "kind": "fact",
        "rule_code": "of_customers",
        "sentence": text,
        "cited_metrics": "[]",
    }


def test_a_metric_has_its_value_of_the_previous_snapshot(shop):
    measure(shop, FIRST, customers=1, customers_lost=2)
    measure(shop, OLD, customers=10, orders=4)
    measure(shop, NEW, customers=7, customers_lost=3, orders=None)

    rows = shop.ask(
        "select as_of, metric, member, metric_value, previous_as_of, previous_value, value_change "
        "from mart.vw_firm_metric order by 2, 3"
    )
    first = shop.ask(
        "select metric_value, previous_as_of, value_change from mart.firm_metric('acme', %s) order by 1",
        FIRST,
    )

    assert rows == [
        (NEW, "customers", "", 7, OLD, 10, -3),
        (NEW, "customers", "lost", 3, OLD, None, None),
        (NEW, "orders", "", None, OLD, 4, None),
    ]
    assert first == [(1, None, None), (2, None, None)]


def test_an_insight_is_that_of_its_snapshot_in_each_language(shop):
    message = sentence(1, "Seven customers."), sentence(1, "Yedi.", language="tr"), sentence(2, "None lost.")
    shop.load("fact_firm_insight", str(OLD), [sentence(1, "Ten customers.")])
    shop.load("fact_firm_insight", str(NEW), message)

    rows = shop.ask(
        "select as_of, language_code, place, is_firm_language, sentence from mart.vw_firm_insight "
        "order by 2, 3"
    )

    assert rows == [
        (NEW, "en", 1, True, "Seven customers."),
        (NEW, "en", 2, True, "None lost."),
        (NEW, "tr", 1, False, "Yedi."),
    ]
    assert shop.ask("select sentence from mart.firm_insight('acme', %s)", OLD) == [("Ten customers.",)]

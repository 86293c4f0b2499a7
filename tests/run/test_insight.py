"""The insight of a firm that was really run: every number in the text is asked for again."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from babel.numbers import parse_decimal

from include.datasets.insight import FIRM_INSIGHT
from include.slices import Slice
from include.warehouse import LoadRefused, LoadSlice, Warehouse
from tests.run.test_pipeline import AS_OF, sales
from tests.warehouse.shop import batch

CITED = """
select i.language_code, i.sentence, c ->> 'metric', c ->> 'shown', m.unit, m.metric_value
from mart.vw_firm_insight as i
cross join lateral jsonb_array_elements(i.cited_metrics) as c
left join mart.vw_firm_metric as m
    on m.firm_key = i.firm_key and m.as_of = i.as_of
    and m.metric = c ->> 'metric' and m.member = c ->> 'member'
order by i.language_code, i.place
"""


@pytest.fixture
def told(shop):
    """A firm without churn or lifetime value, run on one day."""
    shop.add("acme", modules=["rfm", "insight"])
    shop.sell("acme", sales(40))
    shop.run("acme", AS_OF)
    return shop


def test_every_number_in_the_text_is_found_in_the_warehouse_again(told):
    rows = told.query(CITED)

    assert {"customers", "retention_rate", "revenue", "segment_share"} <= {row[2] for row in rows}
    for language, sentence, metric, shown, unit, value in rows:
        plain = re.sub(r"[^\d.,]", "", shown)
        read = parse_decimal(plain, locale=language)
        step = Decimal(1) if unit == "money" and abs(value) >= 1000 else Decimal("0.1")
        step = Decimal("0.01") if unit == "money" and abs(value) < 1000 else step
        assert shown in sentence, metric
        if shown.startswith("<"):
            assert 0 < value < read, (metric, shown, value)
            continue
        assert abs(read - abs(value)) <= step / 2, (metric, shown, value)


def test_what_needs_a_module_that_is_off_is_not_mentioned(told):
    rules = {row[0] for row in told.query("select rule_code from mart.vw_firm_insight")}
    values = told.query(
        "select metric_value from mart.vw_firm_metric "
        "where metric in ('spend_at_risk', 'expected_margin_year')"
    )

    assert "customers" in rules
    assert not rules & {"risk", "expected", "expected_margin", "do_action"}
    assert values == [(None,), (None,)]


def test_metrics_agree_with_the_facts_beside_them(told):
    (metrics,) = told.query(
        "select max(metric_value) filter (where metric = 'customers'), "
        "max(metric_value) filter (where metric = 'revenue') from mart.vw_firm_metric"
    )
    (facts,) = told.query(
        "select count(*), sum(total_spend) from analytics.fact_customer_rfm where as_of = %s", AS_OF
    )

    assert metrics == facts


def test_change_is_against_the_snapshot_before_in_whatever_order_days_ran(told):
    before = AS_OF - timedelta(days=7)
    query = "select previous_as_of, value_change = metric_value - previous_value from mart.vw_firm_metric "
    (alone,) = told.query(query + "where metric = 'orders'")

    told.run("acme", before)

    (beside,) = told.query(query + "where metric = 'orders'")
    assert alone == (None, None)
    assert beside == (before, True)


def test_a_sentence_that_cites_what_has_no_value_is_refused(told):
    row = {
        "language_code": "en",
        "place": 1,
        "is_firm_language": True,
        "kind": "fact",
        "rule_code": "made_up",
        "sentence": "9",
        "cited_metrics": '[{"metric": "spend_at_risk", "member": "", "shown": "9"}]',
    }
    part = LoadSlice(Slice(AS_OF), 10**9, "x", [batch(FIRM_INSIGHT, [row])])

    with Warehouse(told.dsn) as warehouse, pytest.raises(LoadRefused, match="made_up: spend_at_risk"):
        warehouse.loader.load(
            "fact_firm_insight", firm_key="acme", as_of=AS_OF, dataset=FIRM_INSIGHT, slices=[part],
            token=10**9, step="load_fact_firm_insight",
        )  # fmt: skip


def test_a_firm_whose_sales_all_come_later_gets_the_message_that_there_are_none(shop):
    shop.add("acme", modules=["rfm", "insight"])
    shop.sell("acme", sales(3))

    shop.run("acme", date(2020, 1, 1))

    assert shop.query("select rule_code from mart.vw_firm_insight order by language_code") == [
        ("nobody",),
        ("nobody",),
    ]

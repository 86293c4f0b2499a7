import json
import re
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pytest

from include import metrics
from include.datasets.insight import FIRM_INSIGHT, FIRM_METRICS
from include.models.insight import model as insight
from include.models.insight.text import LANGUAGES, SENTENCES, needs

AS_OF = date(2025, 7, 1)
SLOT = re.compile(r"\{(\w+)[^}]*\}")
CATALOGUE = {metric.name: metric.unit for metric in metrics.GLOSSARY if metric.grain != "customer"}


def firm(language="en", currency="USD", segments=None):
    return SimpleNamespace(
        name="Acme", language=language, currency=currency, rfm=SimpleNamespace(segments=segments)
    )


def sentences(values, **about):
    """The sentences on these metrics, by (language, rule)."""
    return {(row["language_code"], row["rule_code"]): row for row in every(values, **about)}


def every(values, **about):
    """All sentences on these metrics; a key may be (metric, member)."""
    rows = []
    for key, value in values.items():
        metric, member = key if isinstance(key, tuple) else (key, "")
        rows.append(
            {
                "metric": metric,
                "member": member,
                "unit": CATALOGUE[metric],
                "metric_value": None if value is None else Decimal(str(value)),
                "definition": "",
            }
        )
    table = insight.compute(
        pa.Table.from_pylist(rows, schema=FIRM_METRICS.schema), firm=firm(**about), as_of=AS_OF
    )
    for batch in table.to_batches():
        FIRM_INSIGHT.conform(batch)
    return table.to_pylist()


def test_percent_signs_and_separators_are_those_of_the_language():
    rows = sentences(
        {"customers": 23570, "active_customers": 3301, "active_share": 14.0051, "period_days": 90}
    )

    assert rows["en", "customers"]["sentence"] == (
        "23,570 customers bought from Acme before July 1, 2025; 3,301 of them (14.0%) bought in the last "
        "90 days."
    )
    assert rows["tr", "customers"]["sentence"] == (
        "Acme için 1 Temmuz 2025 tarihinden önce 23.570 müşterinin alışverişi var; bunlardan 3.301 müşteri "
        "(%14,0) son 90 gün içinde alışveriş yaptı."
    )


def test_one_is_singular_in_english_and_turkish_nouns_never_change():
    rows = sentences({"customers": 9, "one_time_customers": 1, "one_time_share": 11.11,
                 "one_timer_conversion": 12.5, "period_days": 1})  # fmt: skip

    texts = {rule: rows[language, rule]["sentence"] for language, rule in rows if language == "en"}
    assert texts["one_timers"] == "1 customer (11.1%) ordered only once so far."
    assert texts["came_back"] == "Of first-time buyers, 12.5% came back within 1 day."
    assert rows["tr", "one_timers"]["sentence"] == (
        "Şimdiye kadar yalnızca bir sipariş veren 1 müşteri var (%11,1)."
    )


def test_zero_is_written_in_words_and_not_as_a_share_of_nothing():
    rows = sentences({"customers": 9, "active_customers": 0, "active_share": 0, "new_customers": 0,
                 "new_customer_share": 0, "earlier_customers": 4, "retained_customers": 0,
                 "retention_rate": 0, "one_time_customers": 2, "one_time_share": 22,
                 "one_timer_conversion": 0, "expected_leavers": 0, "spend_at_risk": 0,
                 "period_days": 90})  # fmt: skip

    facts = [row for row in rows.values() if row["kind"] != "recommendation"]
    assert not [row["sentence"] for row in facts if re.search(r"\b0[.,]0\b|\b0 ", row["sentence"])]
    assert {"customers_gone", "retention_none", "no_new_customers"} <= {rule for _, rule in rows}
    assert not {"customers", "retention", "came_back", "risk"} & {rule for _, rule in rows}
    assert rows["en", "customers_gone"]["sentence"] == (
        "9 customers bought from Acme before July 1, 2025, none of them in the last 90 days."
    )


def test_advice_is_the_action_plan_the_most_useful_action_first():
    rows = every({("action_customers", "personal_call"): 3, ("action_cost", "personal_call"): 24,
                  ("action_benefit", "personal_call"): 90, ("action_customers", "own"): 1,
                  ("action_cost", "own"): 2, ("action_benefit", "own"): 250, "customers": 9})  # fmt: skip

    advice = [r["sentence"] for r in rows if r["kind"] == "recommendation" and r["language_code"] == "en"]
    assert advice == [
        "Own: 1 customer of the action plan, at a cost of $2.00; assumed benefit in a year $250.00.",
        "Personal call: 3 customers of the action plan, at a cost of $24.00; "
        "assumed benefit in a year $90.00.",
    ]


def test_what_is_expected_is_written_with_its_interval_and_an_assumption_is_named():
    rows = sentences({"customers": 900, "expected_leavers": 120.4, "spend_at_risk": 5000,
                      "spend_at_risk_low": 4100, "spend_at_risk_high": 5900, "period_days": 90,
                      "expected_spend_year": 20000, "expected_spend_year_low": 17000,
                      "expected_spend_year_high": 23000, "expected_margin_year": 5800,
                      "margin_share": 30})  # fmt: skip

    texts = {rule: row["sentence"] for (language, rule), row in rows.items() if language == "en"}
    assert texts["risk"] == (
        "120 active customers are expected not to buy in the next 90 days. The sum of each one's chance "
        "times the net sales of the last year is $5,000, between $4,100 and $5,900 in nine of ten cases."
    )
    assert "$20,000 in the next year, between $17,000 and $23,000" in texts["expected"]
    assert texts["expected_margin"].startswith("At an assumed margin of 30.0% of net sales")


def test_without_an_interval_nothing_is_expected():
    rows = sentences({"customers": 900, "expected_leavers": 120, "spend_at_risk": 5000, "period_days": 90,
                      "expected_spend_year": 20000, "expected_margin_year": 5800})  # fmt: skip

    assert not {rule for _, rule in rows} & {"risk", "expected", "expected_margin"}


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda s: s.rule)
def test_a_sentence_about_a_time_needs_that_time_of_history(sentence):
    needed = needs(sentence)

    if "last year" in sentence.en or "the year" in sentence.en:
        assert needed.history_days >= 365 or sentence.rule == "do_action"
    if "year before" in sentence.en:
        assert needed.history_days >= 730
    if "first time" in sentence.en or "days} before" in sentence.en:
        assert needed.history_periods >= 2


@pytest.mark.parametrize(
    ("value", "unit", "currency", "english", "turkish"),
    [
        ("1069356.50", "money", "USD", "$1,069,357", "$1.069.357"),
        ("38.015", "money", "TRY", "TRY38.02", "₺38,02"),
        ("999.5", "money", "JPY", "¥1,000", "¥1.000"),
        ("-1234.5", "money", "EUR", "\u2212€1,235", "\u2212€1.235"),
        ("12.25", "percent", "EUR", "12.3%", "%12,3"),
        ("0", "percent", "EUR", "0.0%", "%0,0"),
        ("0.02", "percent", "EUR", "<0.1%", "<%0,1"),
        ("-0.125", "percent", "EUR", "\u22120.1%", "\u2212%0,1"),
        ("1.5", "count", "EUR", "1.5", "1,5"),
        ("1000", "days", "EUR", "1,000", "1.000"),
    ],
)
def test_a_value_is_formatted_for_the_language(value, unit, currency, english, turkish):
    shown = [
        insight.show(Decimal(value), unit, language=language, currency=currency) for language in LANGUAGES
    ]

    assert [text.replace("\xa0", "") for text in shown] == [english, turkish]


def test_a_decrease_is_written_without_a_sign():
    rows = sentences({"customers": 9, "revenue_change": -12.5})

    assert rows["en", "revenue_down"]["sentence"] == "Net sales fell by 12.5% against the year before."
    assert rows["tr", "revenue_down"]["sentence"] == "Net satışlar bir önceki yıla göre %12,5 azaldı."
    assert ("en", "revenue_up") not in rows


def test_a_sentence_is_left_out_when_a_metric_has_no_value():
    rows = sentences({"customers": 9, "new_customers": 0, "one_time_customers": 4, "one_time_share": 44,
                 "one_timer_conversion": None, "period_days": 90, "expected_leavers": None})  # fmt: skip

    assert not {rule for _, rule in rows} & {"came_back", "risk"}


def test_a_firm_without_customers_gets_one_sentence():
    rows = sentences({"customers": 0, "active_customers": 0, "new_customers": 0, "orders_year": 0})

    assert list(rows) == [("en", "nobody"), ("tr", "nobody")]
    assert rows["en", "nobody"]["cited_metrics"] == "[]"


def test_the_largest_segment_has_the_firms_own_name():
    sizes = {("segment_customers", "unscored"): 50, ("segment_customers", "a"): 7, ("segment_share", "a"): 70,
             ("segment_customers", "lost"): 3, "customers": 10}  # fmt: skip

    rows = sentences(sizes, segments=[{"segment_code": "a", "segment_name": "Regulars"}])

    assert (
        "largest segment is Regulars, with 7 customers (70.0%)" in rows["en", "largest_segment"]["sentence"]
    )


def test_only_the_firms_language_is_marked():
    rows = sentences({"customers": 0}, language="tr")

    assert [row["is_firm_language"] for row in rows.values()] == [False, True]


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda s: s.rule)
def test_every_sentence_can_be_written_and_every_digit_in_it_is_cited(sentence):
    member = {"": "", "largest": "lost", "each action": "personal_call"}.get(sentence.member, sentence.member)
    values = dict.fromkeys(CATALOGUE, 7) | {
        (metric, member): 7 for metric in CATALOGUE if metric.startswith(("segment_", "action_"))
    }
    for when in sentence.when:
        key = (when.metric, member) if when.member else when.metric
        values[key] = when.low if when.low is not None else when.high - 0.5

    rows = sentences(values)

    for language in LANGUAGES:
        row = rows[language, sentence.rule]
        text = row["sentence"].replace("July 1, 2025", "").replace("1 Temmuz 2025", "")
        for cited in json.loads(row["cited_metrics"]):
            assert cited["metric"] in CATALOGUE
            text = text.replace(cited["shown"], "", 1)
        assert not re.search(r"\d", text)


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda s: s.rule)
def test_both_languages_cite_the_same_metrics(sentence):
    assert set(SLOT.findall(sentence.en)) == set(SLOT.findall(sentence.tr))


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda s: s.rule)
def test_no_turkish_number_carries_a_suffix(sentence):
    assert not re.search(r"\}['\u2019\w]", sentence.tr)
    assert "|" not in sentence.tr

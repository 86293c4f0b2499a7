"""One definition of each metric: names, SQL, and no second name of a number in a view."""

import re

import pytest

from include import metrics, sql_text
from include.datasets import catalogue
from include.metrics.write import PAGE, render

FACTS = {
    "fact_customer_rfm": "rfm",
    "fact_customer_ltv": "ltv",
    "fact_customer_churn_risk": "churn_risk",
}
FIRM = [metric for metric in metrics.GLOSSARY if metric.grain != "customer"]
CUSTOMER = [metric for metric in metrics.of_grain("customer") if metric.column]
RENAMED = re.compile(r"\b(fact_customer_\w+)\.(\w+) as (?!double precision|numeric)(\w+)")


def test_a_name_is_there_once_and_so_is_a_label_within_a_grain():
    names = [metric.name for metric in metrics.GLOSSARY]
    assert len(names) == len(set(names))
    for language in ("en", "tr"):
        labels = [(metric.grain, metric.label(language)) for metric in metrics.GLOSSARY]
        assert all(label for _, label in labels)
        assert len(labels) == len(set(labels))


def test_no_two_names_have_the_same_formula():
    formulas = [(metric.grain, metric.formula) for metric in metrics.GLOSSARY]

    assert len(formulas) == len(set(formulas))


def test_no_two_metrics_of_a_firm_have_the_same_sql():
    found = [(metric.unit, metric.grain, metrics.sql_of(metric)) for metric in FIRM]

    assert len(found) == len(set(map(str, found)))


def test_the_query_computes_the_metrics_of_the_glossary_and_no_other():
    text = sql_text.read("query", "firm_measures")
    listed = set(re.findall(r"^    \('(\w+)'\)", text, re.M)) | set(re.findall(r"'(\w+)' as metric", text))

    parts = {"spend_at_risk_deviation", "active_spend"}  # of the interval of spend_at_risk
    assert listed - parts == {metric.name for metric in FIRM if not metric.sql}


@pytest.mark.parametrize("metric", FIRM, ids=lambda m: m.name)
def test_a_ratio_has_a_denominator_and_nothing_else_has(metric):
    assert (metrics.sql_of(metric).denominator is not None) == metric.is_ratio


@pytest.mark.parametrize("metric", CUSTOMER, ids=lambda m: m.name)
def test_a_customers_metric_is_a_column_of_a_fact(metric):
    table, _, column = metric.column.partition(".")

    assert column in catalogue()[FACTS[table]].schema.names


@pytest.mark.parametrize("view", sql_text.names("view"))
def test_a_view_gives_a_number_no_name_that_the_glossary_does_not_know(view):
    known = {metric.column: {metric.name, *metric.also} for metric in CUSTOMER}

    second = [
        f"{table}.{column} as {name}"
        for table, column, name in RENAMED.findall(sql_text.read("view", view))
        if name not in known.get(f"{table}.{column}", {name})
    ]

    assert second == []


@pytest.mark.parametrize("view", sql_text.names("view"))
def test_a_name_of_the_glossary_is_that_number_in_a_view(view):
    of_name = {name: metric.column for metric in CUSTOMER for name in (metric.name, *metric.also)}

    wrong = [
        f"{table}.{column} as {name}"
        for table, column, name in RENAMED.findall(sql_text.read("view", view))
        if of_name.get(name, f"{table}.{column}") != f"{table}.{column}"
    ]

    assert wrong == []


OLD_NAMES = {
    "total_clv_at_risk", "avg_clv_at_risk", "revenue_365_at_risk", "avg_revenue_365_at_risk", "value_at_risk",
}  # fmt: skip
"""Names of docs/renames.md that are kept for one minor version, each with a comment that says what it is."""


@pytest.mark.parametrize("folder", ["view", "publish", "report"])
def test_an_amount_at_risk_is_a_chance_times_an_amount(folder):
    made = re.compile(
        r"((?:[^,()]|\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))*?) as (\w*at_risk)\b"
    )
    wrong = {}
    for name in sql_text.names(folder):
        for expression, column in made.findall(sql_text.read(folder, name)):
            text = " ".join(expression.split())
            is_one = "probability" in text or "at_risk" in text
            if column not in OLD_NAMES and not is_one:
                wrong[f"{name}.{column}"] = text[-80:]

    assert wrong == {}


def test_an_old_name_says_what_it_is():
    texts = "".join(sql_text.read("view", name) for name in sql_text.names("view"))
    renames = (PAGE.parent / "renames.md").read_text()

    for name in OLD_NAMES:
        assert re.search(rf"comment on column mart\.\w+\.{name} is\s+'Old name of", texts), name
        assert f"`{name}`" in renames


def test_an_unknown_metric_is_refused_by_name():
    with pytest.raises(KeyError, match="metric 'churn_rate' is not in the glossary"):
        metrics.find("churn_rate")


def test_the_page_is_written_from_the_glossary():
    assert PAGE.read_text() == render(), "write it: python -m include.metrics"

"""No second label, formula or name of a metric in the report, the lists, the console and published tables."""

import json
import re
from pathlib import Path

import pytest

from include import metrics, sql_text
from include.console.files import FOLDER
from include.overview.figures import Figure
from include.overview.lists import COLUMNS, described
from include.overview.words import LANGUAGES, Words
from include.report import sections
from tools.build_console import SOURCES, names

OF_COLUMN = {name: metric for metric in metrics.of_grain("customer") for name in (metric.name, *metric.also)}
SHOWN = re.compile(
    r"""title:\ t\("([\w.]+)"\)[^}]*?show:\ \(row\)\ =>\ (?:\w+\()?row\.(\w+)  # a column of a table
    |\[t\("([\w.]+)"\),\ (?:\w+\()?c\.(\w+)  # a pair of a customer's page""",
    re.X,
)


def titles(text):
    """The key of the title and the column of each figure that a page of the console shows."""
    return [(found[1] or found[3], found[2] or found[4]) for found in SHOWN.finditer(text)]


@pytest.mark.parametrize("page", sorted(SOURCES.glob("*.tsx")), ids=lambda path: path.name)
def test_the_console_titles_a_metric_with_the_glossarys_label(page):
    own = [
        f"{key}: {column}"
        for key, column in titles(page.read_text())
        if column in OF_COLUMN and key != f"metric.{OF_COLUMN[column].name}"
    ]

    assert own == []


def test_the_titles_of_the_console_are_found():
    found = [pair for page in SOURCES.glob("*.tsx") for pair in titles(page.read_text())]

    assert ("metric.total_spend", "total_spend") in found  # a customer's page
    assert ("metric.margin_at_risk", "margin_at_risk") in found  # a table
    assert len([column for _, column in found if column in OF_COLUMN]) >= 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_consoles_own_words_repeat_no_label_and_no_formula(language):
    own = json.loads((SOURCES / "words" / f"{language}.json").read_text())
    known = {
        metric.label(language).casefold() for metric in metrics.GLOSSARY if " " in metric.label(language)
    }
    known |= {metric.definition(language).casefold() for metric in metrics.GLOSSARY}

    assert [key for key, text in own.items() if text.casefold() in known] == []


def test_every_metric_that_the_console_names_is_in_its_words():
    used = set(
        re.findall(r'"((?:metric|formula)\.\w+)"', "".join(p.read_text() for p in SOURCES.glob("*.tsx")))
    )

    assert used <= {*names()["en"], "metric.customer_id"}
    assert json.loads((SOURCES / "words" / "names.json").read_text()) == names(), (
        "python -m tools.build_console"
    )
    assert metrics.find("category_margin_at_risk").formula in (FOLDER / "console.js").read_text()


def test_the_report_heads_a_metric_with_the_glossarys_label():
    own = re.findall(r'\("([^"]+)", "(?:avg_|total_)?(\w+)"\)', Path(sections.__file__).read_text())

    assert own  # months, bands and features have headings of their own
    assert [heading for heading, column in own if column in OF_COLUMN] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_explains_a_metric_with_the_glossarys_formula(language):
    figures = {name: Figure(90, "days") for name in ("window_days", "churn_days")}
    texts = {name: (label, text) for name, label, text in described(Words(language, "EUR", figures))}

    assert set(texts) == set(COLUMNS)
    for name in set(COLUMNS) & set(OF_COLUMN):
        metric = OF_COLUMN[name]
        assert texts[name][0] == metric.label(language)
        assert texts[name][1].startswith(metric.definition(language))
        if language != "en":
            assert metric.definition(language) != metric.formula, f"{name} has no formula in {language}"


RENAMED = re.compile(r"\b(fact_customer_\w+)\.(\w+) as (?!double precision|numeric)(\w+)")


@pytest.mark.parametrize("folder", ["publish", "console", "report"])
def test_published_and_shown_columns_have_the_glossarys_names(folder):
    known = {metric.column: {metric.name, *metric.also} for metric in metrics.of_grain("customer")}

    second = [
        f"{name}: {table}.{column} as {given}"
        for name in sql_text.names(folder)
        for table, column, given in RENAMED.findall(sql_text.read(folder, name))
        if given not in known.get(f"{table}.{column}", {given})
    ]

    assert second == []

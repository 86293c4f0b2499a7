"""The words of the page: both languages say the same, and cover whatever the page may show."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from include import metrics
from include.intake.codes import REASONS
from include.intake.mapping import ROLES
from include.intake.messages import Message
from include.models.actions import RULES
from include.models.churn.risk import CATEGORIES
from include.models.insight.text import ACTION_NAMES
from include.models.segment_texts import NAMES, TURKISH
from include.models.segments import SEGMENTS
from include.overview.figures import Figure, Writer
from include.overview.lists import COLUMNS
from include.overview.reading_table import reason_of, text_of
from include.overview.sentences import SENTENCES
from include.overview.words import Words, slots, texts

SECTIONS = {sentence.section for sentence in SENTENCES}


def test_both_languages_have_the_same_texts():
    assert list(texts("en")) == list(texts("tr"))


def test_a_text_shows_the_same_figures_in_both_languages():
    english, turkish = texts("en"), texts("tr")

    assert {key: slots(english[key]) for key in english} == {key: slots(turkish[key]) for key in turkish}


def test_every_sentence_has_a_text_and_every_text_a_sentence():
    written = {key.removeprefix("sentence.") for key in texts("en") if key.startswith("sentence.")}

    assert written == {sentence.key for sentence in SENTENCES}


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("ours", ROLES),
        ("field", [name for name in COLUMNS if not metrics.named(name, "customer")]),
        ("category", CATEGORIES),
        ("section", SECTIONS),
    ],
)
def test_whatever_the_page_may_name_has_a_word(prefix, names):
    assert {f"{prefix}.{name}" for name in names} <= set(texts("en"))


def test_every_action_has_a_name():
    assert {rule.action_code for rule in RULES} <= set(ACTION_NAMES)


@pytest.mark.parametrize(
    ("message", "english", "turkish"),
    [
        (
            Message("order_total_repeated").having(column="Total", sum=Decimal("-20000")),
            "Column Total is the order's total and is repeated on each line: it was counted once. "
            "Its sum would be \u2212€20,000.",
            "Total sütunu siparişin toplamıdır ve her kalemde yinelenir; bir kez sayıldı. "
            "Her kalemde sayılsaydı toplam \u2212€20.000 olurdu.",
        ),
        (
            Message("future_date").having(rows=1234, day=date(2062, 3, 1), money=Decimal("5.5")),
            "1,234 rows have dates in the future, up to March\u00a01,\u00a02062: left out, €5.50; "
            "the last day is that of the other rows.",
            "1.234 satırın tarihi gelecekte (en geç 1\u00a0Mart\u00a02062): dışarıda bırakıldılar, tutarları "
            "€5,50. Son gün, diğer satırların son günüdür.",
        ),
        (
            Message("rejected_rows").having(rows=2000, reasons={"bad_date": 1999, "missing_id": 1}),
            "2,000 rows cannot be used: unreadable date (1,999), no order id (1).",
            "2.000 satır kullanılamıyor: okunamayan tarih (1.999), sipariş numarası yok (1).",
        ),
        (
            Message("one_large_customer").having(customer="c1", share=0.425),
            "Customer c1 has 42.5% of the rows: is it a placeholder?",
            "Satırların %42,5 kadarı c1 müşterisinde: bu bir yer tutucu mu?",
        ),
        (
            Message("date_order").having(column="iade", order="dmy"),
            "iade: dmy, decided by another date column of the file.",
            "iade: sıra dmy, dosyanın başka bir tarih sütununa göre.",
        ),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_a_message_has_its_values_in_the_style_of_the_language(message, english, turkish):
    assert text_of(Words("en", "EUR", {}), message) == english
    assert text_of(Words("tr", "EUR", {}), message) == turkish


def test_every_reason_of_a_rejected_row_has_a_meaning_in_turkish():
    words = Words("tr", "EUR", {})

    assert {reason_of(words, code) for code in REASONS}.isdisjoint(REASONS.values())
    assert reason_of(Words("en", "EUR", {}), "bad_date") == REASONS["bad_date"]


@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda segment: segment.segment_code)
def test_every_segment_is_translated(segment):
    assert NAMES[segment.segment_code][0] == segment.segment_name
    assert {segment.segment_description, segment.target_marketing_strategy} <= set(TURKISH), (
        "translate the new sentence in include/models/segment_texts.py"
    )


def test_figures_are_written_as_the_language_does():
    english, turkish = Writer("en", "EUR"), Writer("tr", "TRY")

    assert [english.money(value) for value in ("1234.5", "-12.345", "0")] == [
        "€1,235",
        "\u2212€12.35",
        "€0.00",
    ]
    assert [turkish.money(value) for value in ("1234.5", "-12.345")] == ["₺1.235", "\u2212₺12,35"]
    assert Writer("en", "TRY").money("12") == "TRY\u00a012.00"
    assert Writer("en", "XXX").money("1234.5") == "1,235"
    assert (english.share(0.12345), turkish.share(0.12345), english.share(0.0001)) == (
        "12.3%",
        "%12,3",
        "<0.1%",
    )
    assert (english.compact(1_234_567), turkish.compact(15_300)) == ("1.2M", "15,3\u00a0B")


def test_a_noun_follows_its_number_and_values_are_escaped():
    words = Words("en", "EUR", {"churn_days": Figure(1, "days")})

    one = words.plain("understood.as_of_note", as_of="<b>")
    assert words("understood.as_of_note", as_of="<b>").count("&lt;b&gt;") == 1
    assert one.startswith("The page counts up to")
    assert words.plain("list.action", action="A", customers=Figure(1, "count")) == "A: 1 customer"
    assert words.plain("list.action", action="A", customers=Figure(2, "count")) == "A: 2 customers"

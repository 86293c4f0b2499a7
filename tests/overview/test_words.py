"""The words of the page: both languages say the same, and cover whatever the page may show."""

from __future__ import annotations

from decimal import Decimal

import pytest

from include.intake.codes import NOTES, REASONS, WARNINGS
from include.intake.mapping import ROLES
from include.intake.money import shown
from include.models.actions import RULES
from include.models.churn.risk import CATEGORIES
from include.models.insight.text import ACTION_NAMES
from include.models.segment_texts import NAMES, TURKISH
from include.models.segments import SEGMENTS
from include.overview.figures import Figure, Writer
from include.overview.lists import COLUMNS
from include.overview.reading_table import text_of
from include.overview.sentences import SENTENCES
from include.overview.words import Words, reading_texts, slots, texts

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
        ("field", COLUMNS),
        ("category", CATEGORIES),
        ("section", SECTIONS),
    ],
)
def test_whatever_the_page_may_name_has_a_word(prefix, names):
    assert {f"{prefix}.{name}" for name in names} <= set(texts("en"))


def test_every_action_has_a_name():
    assert {rule.action_code for rule in RULES} <= set(ACTION_NAMES)


def test_every_code_of_the_intake_is_translated():
    wanted = {
        f"{kind}.{code}"
        for kind, codes in (("warnings", WARNINGS), ("notes", NOTES), ("reasons", REASONS))
        for code in codes
    }

    found = set(reading_texts("tr"))
    assert {key for key in found if not key.startswith("amounts.")} == wanted
    assert {key.split(".")[1] for key in found if key.startswith("amounts.")} <= {*WARNINGS, *NOTES}


@pytest.mark.parametrize(
    ("code", "text", "turkish"),
    [
        (
            "order_total_repeated",
            "column Total has the same value on each line of an order: it is treated as the order's total "
            f"and counted once, {shown(Decimal('1234.5'))}. Its sum would be {shown(Decimal('-20000'))}",
            "Bir sütun siparişin toplamını her kalemde yineliyor; bir kez sayıldı. "
            "Bir kez sayınca toplam €1.235; her kalemde sayılsaydı \u2212€20.000 olurdu.",
        ),
        ("refunds", f"2 orders were refunded; {shown(Decimal('5'))} was subtracted", "Düşülen tutar €5,00."),
        ("near_twins", "some customer ids differ only in case: A1.50 and a1.50", "Bazı müşteri numaraları"),
    ],
)
def test_a_turkish_message_has_the_amounts_of_the_english_one(code, text, turkish):
    kind = "notes" if code in NOTES else "warnings"

    assert turkish in text_of(Words("tr", "EUR", {}), kind, code, text)


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

"""Every message has one template per language with the same slots, and the values that the slots need."""

import ast
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from include.intake import messages
from include.intake.codes import NOTES, REASONS, WARNINGS
from include.intake.messages import LANGUAGES, Message, plain, slots, templates, written

PACKAGE = Path(messages.__file__).parent
NAMED = ("reason.", "meaning.")
ENGLISH, TURKISH = (
    {key: text for key, text in templates(language).items() if not key.startswith(NAMED)}
    for language in LANGUAGES
)
# Words of nearly every English sentence; no Turkish word and no slot is one of them.
COMMON = (
    r"\b(the|is|are|was|were|of|and|not|row|rows|order|orders|column|with|their|its|has|have|by|only|to)\b"
)
# Slots that are filled while the file is joined; the amount is added when it is known.
LATER = {"same_file_twice": {"money"}, "overlapping_files": {"money"}, "head_on_first_line": {"money"}}


def test_every_code_has_a_template_in_each_language_with_the_same_slots():
    assert {key.partition(".")[0] for key in ENGLISH} == {*WARNINGS, *NOTES}
    assert list(ENGLISH) == list(TURKISH)
    assert {key: slots(text) for key, text in ENGLISH.items()} == {
        key: slots(text) for key, text in TURKISH.items()
    }


def test_every_reason_is_named_in_each_language():
    names = [{key for key in templates(language) if key.startswith("reason.")} for language in LANGUAGES]
    meanings = {key for key in templates("tr") if key.startswith("meaning.")}

    assert names[0] == names[1]
    assert meanings == {f"meaning.{code}" for code in REASONS}


@pytest.mark.parametrize("key", TURKISH)
def test_no_turkish_message_has_an_english_word(key):
    values = dict.fromkeys(slots(TURKISH[key]), "X")
    code, _, variant = key.partition(".")

    text = re.sub(r"--[a-z-]+", "", written(Message(code, variant, values), "tr", str))

    assert re.findall(COMMON, text, re.IGNORECASE) == []
    assert re.findall(COMMON, ENGLISH[key], re.IGNORECASE) or code in ("dialect", "date_order")


def calls():
    """The code, variants and names of values of each place of the package that gives a message."""
    for path in sorted(PACKAGE.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        having = {
            id(node.func.value): node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "having"
        }
        for node in ast.walk(tree):
            name = getattr(
                getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", "")
            )
            if not isinstance(node, ast.Call) or name not in ("warn", "note", "Message") or not node.args:
                continue
            code = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            variant = node.args[1] if len(node.args) > 1 else None
            given = {word.arg for word in [*node.keywords, *getattr(having.get(id(node)), "keywords", [])]}
            for inner in ast.walk(node):
                if isinstance(inner, ast.Dict) and name == "Message":
                    given |= {key.value for key in inner.keys}
            yield f"{path.name}:{node.lineno}", code, variant, given - {"values"}


def test_every_place_that_gives_a_message_has_the_values_of_its_template():
    wrong, seen = [], set()
    for place, code, variant, given in calls():
        if code is None:
            continue
        fixed = variant.value if isinstance(variant, ast.Constant) else None
        keys = [k for k in ENGLISH if k.partition(".")[0] == code]
        if variant is None or fixed:
            keys = [f"{code}.{fixed}" if fixed else code]
        elif isinstance(variant, ast.JoinedStr):
            keys = [k for k in keys if k.startswith(f"{code}.{variant.values[0].value}")]
        seen.add(code)
        wrong += [
            (place, key)
            for key in keys
            if key not in ENGLISH or not slots(ENGLISH[key]) - LATER.get(code, set()) <= given
        ]

    assert wrong == []
    assert seen >= {*WARNINGS, *NOTES} - {
        "cancelled_orders",
        "not_sales",
    }  # effects.py takes both from a pair


def test_numbers_of_the_console_have_separators_and_nouns_agree():
    message = Message("future_date").having(rows=12345, day=date(2062, 1, 2), money=Decimal("1234567.5"))

    assert message.text.startswith(
        "12,345 rows have dates in the future, up to 2062-01-02: left out, 1,234,567.50"
    )
    assert message.having(rows=1).text.startswith("1 row has a date in the future")
    assert message.record() == {"code": "future_date", "text": message.text}
    assert [plain(value) for value in (0.125, 0.3, 1000)] == ["12.5%", "30%", "1,000"]

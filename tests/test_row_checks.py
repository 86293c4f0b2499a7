"""What no row may hold, whichever way it comes: from YAML, from a table, from the warehouse."""

import typing

import pytest

from include.engines import ENGINES
from include.firms import Firm, FirmError, parse_firm
from include.row_checks import Strict
from tests.test_firms import ROW


def test_a_firm_may_name_every_engine_there_is_and_no_other():
    allowed = typing.get_args(Firm.model_fields["engine"].annotation)

    assert set(allowed) == set(ENGINES)
    with pytest.raises(FirmError, match="engine"):
        parse_firm(ROW | {"engine": "spark"})


def number_fields(model=Firm, place=()):
    """Every field of a firm's row that takes a number."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *typing.get_args(field.annotation)]
        if inner := next((k for k in kinds if isinstance(k, type) and issubclass(k, Strict)), None):
            yield from number_fields(inner, (*place, name))
        elif {int, float} & set(kinds):
            yield (*place, name)


SEVERAL = {"rules": 1, "quantiles": 4, "category_bounds": 3, "band_bounds": 2}  # fields that are lists


def with_value(place, value):
    row: object = value
    for name in reversed(place):
        row = {name: [row] * SEVERAL[name] if name in SEVERAL else row}
    return {**ROW, **row}


@pytest.mark.parametrize("place", list(number_fields()), ids=".".join)
@pytest.mark.parametrize("value", [True, float("inf"), float("nan"), "1e400", 10**400])
def test_no_number_of_a_row_may_be_a_truth_value_or_without_an_end(place, value):
    with pytest.raises(FirmError, match=f"{place[-1]}.*(number|valid)"):
        parse_firm(with_value(place, value))


def test_the_numbers_of_every_part_of_a_row_are_looked_at():
    places = set(number_fields())

    assert {
        ("working_day_period",),
        ("min_spend",),
        ("rfm", "window_days"),
        ("ltv", "margin_share"),
    } <= places
    assert len(places) >= 25


@pytest.mark.parametrize("text", ["a\0b", "a\ud800"])
@pytest.mark.parametrize("field", ["name", "owner", "source", "rfm"])
def test_no_text_of_a_row_may_hold_what_postgres_cannot_store(field, text):
    value = {"source": ROW["source"] | {"uri": text}, "rfm": {"segments": [{"x": text}]}}.get(field, text)

    with pytest.raises(FirmError, match="must be text without NUL"):
        parse_firm(ROW | {field: value})


def test_a_row_that_holds_itself_is_refused():
    row: dict = dict(ROW)
    row["rfm"] = row

    with pytest.raises(FirmError, match="nested deeper"):
        parse_firm(row)

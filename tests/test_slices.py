"""The one name of a slice."""

from datetime import date

import pytest

from include.periods import Month
from include.slices import Slice

MONTH, DAY = Slice(Month(2026, 11)), Slice(date(2026, 11, 21))


def test_a_slice_has_one_text_and_one_folder():
    texts = [str(MONTH), str(DAY), MONTH.folder, DAY.folder]

    assert texts == ["2026-11", "2026-11-21", "month=2026-11", "as_of=2026-11-21"]


@pytest.mark.parametrize("one", [MONTH, DAY])
def test_a_slice_is_read_back_from_its_text_its_folder_and_its_path(one):
    read = {Slice.parse(str(one)), Slice.of_folder(one.folder), Slice.of_path(f"acme/sales/{one.folder}")}

    assert read == {one}


def test_a_slice_knows_its_days():
    assert (MONTH.first_day, MONTH.earliest_as_of) == (date(2026, 11, 1), date(2026, 12, 1))
    assert (DAY.first_day, DAY.earliest_as_of) == (date(2026, 11, 21), date(2026, 11, 21))
    assert (MONTH.month, DAY.month) == (Month(2026, 11), None)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-11-31", "month=2026-11", "2026-11-21T00:00", "x"]
)
def test_another_text_is_refused(text):
    with pytest.raises(ValueError, match=r"month|day|isoformat"):
        Slice.parse(text)


@pytest.mark.parametrize("name", ["2026-11", "as_of=2026-11", "month=2026-11-21", "week=2026-11", "month="])
def test_another_folder_is_refused(name):
    with pytest.raises(ValueError, match=r"2026|month"):
        Slice.of_folder(name)

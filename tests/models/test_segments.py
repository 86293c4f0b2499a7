from itertools import product
from types import SimpleNamespace

import pytest

from include.models import segments

ELEVEN = {
    "Champions", "Loyal Customers", "Recent Customers", "Potential Loyalists", "Promising", "Needs Attention",
    "About to Sleep", "At Risk", "Cant Lose Them", "Hibernating", "Lost",
}  # fmt: skip


def firm(rules=None):
    return SimpleNamespace(rfm=SimpleNamespace(segments=rules))


def test_each_of_the_125_cells_has_exactly_one_segment():
    cells = segments.cells_of(segments.SEGMENTS)

    assert set(cells) == set(product(range(1, 6), repeat=3))


def test_all_eleven_segments_are_reachable():
    reached = set(segments.cells_of(segments.SEGMENTS).values())

    assert {s.segment_name for s in segments.SEGMENTS if s.segment_code in reached} == ELEVEN


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ((5, 5, 5), "champions"),
        ((1, 1, 1), "lost"),
        ((1, 5, 5), "cant_lose_them"),
        ((2, 5, 5), "cant_lose_them"),
        ((2, 1, 1), "hibernating"),
        ((1, 1, 5), "at_risk"),
        ((5, 5, 3), "loyal"),
        ((3, 3, 3), "potential_loyalists"),
    ],
)
def test_cells_that_the_reference_rules_misplaced_are_where_their_names_say(cell, code):
    assert segments.cells_of(segments.SEGMENTS)[cell] == code


def test_an_overlapping_rule_is_refused_by_name():
    extra = segments.SEGMENTS[0]._replace(segment_code="stars", cells=("5 5 5",))

    with pytest.raises(segments.SegmentTableError, match="cell 555 is in both champions and stars"):
        segments.cells_of((*segments.SEGMENTS, extra))


def test_a_missing_cell_is_refused_by_name():
    rules = tuple(s for s in segments.SEGMENTS if s.segment_code != "lost")

    with pytest.raises(segments.SegmentTableError, match="1 of 125 cells have no segment: 111"):
        segments.cells_of(rules)


def test_a_rule_without_cells_is_refused():
    dead = segments.SEGMENTS[0]._replace(segment_code="nobody", cells=())

    with pytest.raises(segments.SegmentTableError, match="nobody has no cells"):
        segments.cells_of((*segments.SEGMENTS, dead))


@pytest.mark.parametrize("box", ["45 45", "6 1 1", "a 1 1", ""])
def test_a_box_that_cannot_be_read_is_refused(box):
    odd = segments.SEGMENTS[0]._replace(cells=(box,))

    with pytest.raises(segments.SegmentTableError, match="three groups of digits"):
        segments.cells_of((odd,))


def test_a_firm_may_have_its_own_table():
    table = segments.compute(
        firm=firm(
            [
                {"segment_code": "good", "segment_name": "Good", "cells": "345 12345 12345"},
                {"segment_code": "gone", "segment_name": "Gone", "cells": "12 12345 12345"},
            ]
        ),
        as_of=None,
    )

    assert table["segment_code"].to_pylist() == ["gone", "good", "unscored"]


def test_a_firms_incomplete_table_is_refused():
    with pytest.raises(segments.SegmentTableError, match="cells have no segment"):
        segments.compute(
            firm=firm([{"segment_code": "good", "segment_name": "Good", "cells": "345 12345 12345"}]),
            as_of=None,
        )

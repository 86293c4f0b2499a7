from itertools import product
from types import SimpleNamespace

import pyarrow as pa
import pytest

from include.datasets.computed import FIRM_RHYTHM, SEGMENTS
from include.firms import Rfm
from include.models import floors, segments

ELEVEN = {
    "Champions", "Loyal Customers", "Recent Customers", "Potential Loyalists", "Promising", "Needs Attention",
    "About to Sleep", "At Risk", "Cant Lose Them", "Hibernating", "Lost",
}  # fmt: skip


RHYTHM = pa.Table.from_pylist(
    [{"customers": 100, "repeat_customers": 50, "median_days_between_orders": 30.5}],
    schema=FIRM_RHYTHM.schema,
)


def firm(rules=None, parents=None):
    return SimpleNamespace(churn_threshold_days=90, rfm=Rfm(segments=rules, segment_parents=parents or {}))


def outcomes(rules):
    """Every cell's segment for each (orders, gaps) between the bounds of the floors."""
    floor_of = {rule.segment_code: rule.floor for rule in rules}
    next_of = {rule.segment_code: rule.next_segment for rule in rules}
    return {
        (cell, orders, gaps): floors.walk(code, floor_of, next_of, orders=orders, gaps=gaps)
        for cell, code in segments.cells_of(rules).items()
        for orders, gaps in floors.outcomes(floor_of.values())
    }


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
        RHYTHM,
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
            RHYTHM,
            firm=firm([{"segment_code": "good", "segment_name": "Good", "cells": "345 12345 12345"}]),
            as_of=None,
        )


def test_125_cells_times_the_outcomes_of_the_floors_give_exactly_one_segment():
    found = outcomes(segments.SEGMENTS)

    codes = {rule.segment_code for rule in segments.SEGMENTS}
    # Orders 1, 2, 3 and silence up to 1, 2, 3, 4 and more than 4 usual gaps.
    assert len(found) == 125 * 3 * 5
    assert set(found.values()) == codes


@pytest.mark.parametrize(
    ("cell", "orders", "gaps", "code"),
    [
        ((5, 5, 5), 9, 2.0, "champions"),
        ((5, 5, 5), 9, 2.1, "at_risk"),  # the latest buyers of a firm where everyone is long silent
        ((5, 5, 5), 2, 1.0, "loyal"),
        ((4, 4, 4), 1, 1.0, "promising"),
        ((5, 1, 1), 1, 2.5, "about_to_sleep"),
        ((1, 5, 5), 9, 0.5, "loyal"),  # a firm where the most silent bought last week
        ((1, 5, 5), 9, 2.1, "cant_lose_them"),
        ((1, 5, 5), 2, 2.1, "at_risk"),
        ((1, 1, 1), 1, 0.5, "recent"),
        ((1, 1, 1), 1, 4.0, "hibernating"),
        ((1, 1, 1), 1, 4.1, "lost"),
        ((2, 2, 1), 3, 2.5, "about_to_sleep"),
        ((3, 3, 1), 3, 0.5, "recent"),
    ],
)
def test_a_customer_who_misses_a_floor_moves_along_the_rows(cell, orders, gaps, code):
    found = segments.cells_of(segments.SEGMENTS)[cell]
    floor_of = {rule.segment_code: rule.floor for rule in segments.SEGMENTS}
    next_of = {rule.segment_code: rule.next_segment for rule in segments.SEGMENTS}

    assert floors.walk(found, floor_of, next_of, orders=orders, gaps=gaps) == code


def test_a_floor_without_a_way_out_is_refused_by_name():
    rules = [rule._replace(next_segment="champions") for rule in segments.SEGMENTS]

    with pytest.raises(segments.SegmentTableError, match="no next_segment accepts a customer with 1 orders"):
        segments.check_floors(rules)


def test_a_floor_that_names_no_segment_is_refused():
    lost = segments.SEGMENTS[-1]._replace(next_segment="limbo")

    with pytest.raises(segments.SegmentTableError, match="lost has a floor, but next_segment is 'limbo'"):
        segments.check_floors((*segments.SEGMENTS[:-1], lost))


def test_the_floors_of_a_row_are_in_days_of_the_firms_usual_gap():
    table = segments.compute(RHYTHM, firm=firm(), as_of=None)

    row = {r["segment_code"]: r for r in table.to_pylist()}
    assert SEGMENTS.conform(table.to_batches()[0])
    assert row["champions"]["usual_gap_days"] == 30.5
    assert (row["champions"]["min_orders"], row["champions"]["max_silent_days"]) == (3, 61)
    assert (row["cant_lose_them"]["min_silent_days"], row["cant_lose_them"]["max_silent_days"]) == (62, None)


def test_the_usual_gap_of_few_repeat_customers_is_half_the_churn_threshold():
    few = RHYTHM.set_column(1, FIRM_RHYTHM.schema.field(1), pa.array([9]))

    assert floors.usual_gap_days(few, firm=firm()) == 45
    assert floors.usual_gap_days(FIRM_RHYTHM.schema.empty_table(), firm=firm()) == 45


def test_two_usual_gaps_never_exceed_the_rfm_window():
    yearly = RHYTHM.set_column(2, FIRM_RHYTHM.schema.field(2), pa.array([380.0]))

    assert floors.usual_gap_days(yearly, firm=firm()) == 182.5


def test_a_segment_of_the_standard_table_may_get_a_parent():
    parents = {"champions": "best", "loyal": "best", "recent": "loyal"}

    table = segments.compute(RHYTHM, firm=firm(parents=parents), as_of=None)

    row = {r["segment_code"]: r for r in table.to_pylist()}
    assert {code: row[code]["parent_segment"] for code in parents} == parents
    assert row["lost"]["parent_segment"] is None
    assert (row["best"]["segment_name"], row["best"]["segment_type"]) == ("Best", "parent")
    assert "loyal" in row
    assert row["loyal"]["segment_type"] == "rfm"


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ({"champion": "best"}, r"\['champion'\] are no segments; there are about_to_sleep"),
        ({"loyal": "recent", "recent": "loyal"}, "segment loyal is its own parent; see rfm.segment_parents"),
        ({"lost": "lost"}, "segment lost is its own parent"),
        ({"lost": "unscored"}, "'unscored' cannot be a parent"),
    ],
)
def test_parents_that_cannot_be_are_refused_by_name(parents, message):
    with pytest.raises(segments.SegmentTableError, match=message):
        segments.table_of(firm(parents=parents))


def test_a_firms_own_rows_may_have_floors_and_a_parent():
    table = segments.compute(
        RHYTHM,
        firm=firm(
            [
                {
                    "segment_code": "good", "segment_name": "Good", "cells": "345 12345 12345",
                    "max_gaps": 2, "min_orders": 2, "next_segment": "gone", "parent_segment": "everyone",
                },
                {"segment_code": "gone", "segment_name": "Gone", "cells": "12 12345 12345"},
            ]
        ),
        as_of=None,
    )  # fmt: skip

    row = {r["segment_code"]: r for r in table.to_pylist()}
    assert (row["good"]["max_silent_days"], row["good"]["parent_segment"]) == (61, "everyone")
    assert (row["everyone"]["segment_type"], row["everyone"]["cells"]) == ("parent", "")
    assert row["gone"]["next_segment"] is None


@pytest.mark.parametrize(
    ("floor", "reason"),
    [
        ({"min_orders": 0}, "min_orders must be"),
        ({"max_gaps": "2"}, "max_gaps must be"),
        ({"min_gaps": 2, "max_gaps": 2}, "min_gaps must be less"),
    ],
)
def test_a_floor_that_no_customer_can_meet_is_refused(floor, reason):
    row = {"segment_code": "all", "segment_name": "All", "cells": "12345 12345 12345", **floor}

    with pytest.raises(segments.SegmentTableError, match=f"segment all: {reason}"):
        segments.rules_of([row])

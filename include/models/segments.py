"""RFM segments: a decision table that assigns each of the 125 score cells to a segment.

A rule's ``cells`` are boxes: three groups of digits, the R, F and M scores it covers; ``"45 3 45"`` is R 4-5,
F 3, M 4-5. The boxes must cover every cell exactly once, so the order of rules has no effect. An empty or
overlapping rule is rejected by name. A firm replaces the table in ``rfm.segments`` of its row.

Scores are ranks, and the names of segments are not: the most recent fifth of a dormant firm has not bought
lately. So a rule also has a floor (``include/models/floors.py``): the fewest purchase days, and the shortest
and longest silence in the firm's usual gaps. A customer who misses the floor moves to ``next_segment``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any, NamedTuple

import pyarrow as pa

from include.models import floors
from include.models.firm import FirmSettings

UNSCORED = "unscored"


class SegmentTableError(ValueError):
    """A decision table misses a cell, covers a cell twice, or is malformed; the message names it."""


class Segment(NamedTuple):
    """One row of the decision table. ``parent_segment`` is a wider segment that it belongs to, if any."""

    segment_code: str
    segment_name: str
    cells: tuple[str, ...]
    retention_priority: int
    value_tier: str
    segment_description: str
    target_marketing_strategy: str
    floor: floors.Floor = floors.NO_FLOOR
    next_segment: str = ""
    parent_segment: str = ""


SEGMENTS: tuple[Segment, ...] = (
    Segment(
        "champions", "Champions", ("45 45 45",), 2, "High value",
        "Bought lately, three times or more, and more often and for more than most.",
        "Thank them, give early access, ask for reviews and referrals; no discount is needed.",
        floors.Floor(min_orders=3, max_gaps=2), "loyal",
    ),
    Segment(
        "loyal", "Loyal Customers", ("45 3 45", "45 45 3", "3 345 45"), 3, "High value",
        "Bought lately and more than once, as often and for as much as most or more.",
        "Offer the next better product and a loyalty benefit.",
        floors.Floor(min_orders=2, max_gaps=2), "promising",
    ),
    Segment(
        "recent", "Recent Customers", ("45 12 12",), 6, "Growth potential",
        "Bought lately; not yet both frequent and large buyers.",
        "Thank them and give a reason for the next order.",
        floors.Floor(max_gaps=2), "hibernating",
    ),
    Segment(
        "potential_loyalists", "Potential Loyalists", ("45 3 123", "45 45 12", "3 345 3"), 5,
        "Growth potential",
        "Bought lately and more than once, for modest or middling amounts.",
        "Recommend related products and invite them to the programme.",
        floors.Floor(min_orders=2, max_gaps=2), "recent",
    ),
    Segment(
        "promising", "Promising", ("345 12 345",), 6, "Growth potential",
        "Bought lately; seldom by this firm's measure, but for as much money as most or more.",
        "Show the range; a reason for another large order.",
        floors.Floor(max_gaps=2), "at_risk",
    ),
    Segment(
        "needs_attention", "Needs Attention", ("3 2345 12", "2 12 345"), 4, "At risk",
        "Past their usual time for the next order, but not for long.",
        "A limited offer built on what they bought before.",
        floors.Floor(min_gaps=1, max_gaps=2), "about_to_sleep",
    ),
    Segment(
        "about_to_sleep", "About to Sleep", ("3 1 12", "2 345 12"), 5, "At risk",
        "Going quiet: silent for one to three of the firm's usual gaps.",
        "Remind them with popular products and a small saving.",
        floors.Floor(min_gaps=1, max_gaps=3), "recent",
    ),
    Segment(
        "at_risk", "At Risk", ("12 3 345", "12 45 3", "1 12 345"), 2, "Recovery",
        "Spent as much as most or more; have not bought for long.",
        "A personal message and a renewed benefit, soon.",
        floors.Floor(min_gaps=2), "needs_attention",
    ),
    Segment(
        "cant_lose_them", "Cant Lose Them", ("12 45 45",), 1, "Recovery",
        "Ordered three times or more, and more often and for more than most; have not bought for long.",
        "Call them; find out what went wrong; win them back in person.",
        floors.Floor(min_orders=3, min_gaps=2), "loyal",
    ),
    Segment(
        "hibernating", "Hibernating", ("2 12 12", "1 345 12", "1 1 2", "1 2 12"), 8, "Recovery",
        "Silent for more than three of the firm's usual gaps.",
        "Low-cost reactivation only.",
        floors.Floor(min_gaps=3), "about_to_sleep",
    ),
    Segment(
        "lost", "Lost", ("1 1 1",), 10, "Recovery",
        "Lowest on every score; silent for more than four of the firm's usual gaps.",
        "One last message; then leave them in peace.",
        floors.Floor(min_gaps=4), "hibernating",
    ),
)  # fmt: skip


def cells_of(rules: Sequence[Segment]) -> dict[tuple[int, ...], str]:
    """Segment code by (R, F, M) for all 125 cells; SegmentTableError if the cover is not exact."""
    found: dict[tuple[int, ...], str] = {}
    for rule in rules:
        if not rule.cells:
            raise SegmentTableError(
                f"segment {rule.segment_code} has no cells; give it at least one in rfm.segments"
            )
        for box in rule.cells:
            for cell in _cells(rule.segment_code, box):
                if cell in found:
                    raise SegmentTableError(
                        f"cell {''.join(map(str, cell))} is in both {found[cell]} and {rule.segment_code}"
                    )
                found[cell] = rule.segment_code
    every = set(product(range(1, 6), repeat=3))
    if left := sorted(every - set(found)):
        named = ", ".join("".join(map(str, cell)) for cell in left[:10])
        raise SegmentTableError(f"{len(left)} of 125 cells have no segment: {named}")
    return found


def cells_in(code: str, cells: str) -> Iterator[tuple[int, ...]]:
    """The (R, F, M) cells of a segment, from the text of its row: '45 3 45; 3 345 45'."""
    for box in cells.split("; ") if cells else ():
        yield from _cells(code, box)


def _cells(code: str, box: str) -> Iterable[tuple[int, ...]]:
    groups = box.split()
    if len(groups) != 3 or not all(g and set(g) <= set("12345") for g in groups):
        raise SegmentTableError(
            f"segment {code}: cells {box!r} must be three groups of digits 1 to 5, such as '45 3 45'"
        )
    return product(*([int(digit) for digit in dict.fromkeys(group)] for group in groups))


def check_floors(rules: Sequence[Segment]) -> None:
    """SegmentTableError unless every customer of every segment ends in exactly one, by orders and silence."""
    floor_of = {rule.segment_code: rule.floor for rule in rules}
    next_of = {rule.segment_code: rule.next_segment for rule in rules}
    for rule in rules:
        if rule.floor != floors.NO_FLOOR and rule.next_segment not in floor_of:
            raise SegmentTableError(
                f"segment {rule.segment_code} has a floor, but next_segment is {rule.next_segment!r}; "
                f"name one of {', '.join(sorted(floor_of))} in rfm.segments"
            )
    for orders, gaps in floors.outcomes(floor_of.values()):
        for code in floor_of:
            if floors.walk(code, floor_of, next_of, orders=orders, gaps=gaps) is None:
                raise SegmentTableError(
                    f"segment {code}: no next_segment accepts a customer with {orders} orders who has been "
                    f"silent for {gaps:g} usual gaps; see rfm.segments"
                )


def table_of(firm: FirmSettings) -> tuple[Segment, ...]:
    """The firm's decision table with its parents, checked; SegmentTableError names what is wrong."""
    rules = with_parents(rules_of(firm.rfm.segments), firm.rfm.segment_parents)
    cells_of(rules)
    check_floors(rules)
    return rules


def with_parents(rules: Sequence[Segment], parents: Mapping[str, str]) -> tuple[Segment, ...]:
    """The rules with the parents of ``rfm.segment_parents``; SegmentTableError for an unknown or a circle."""
    codes = {rule.segment_code for rule in rules}
    if unknown := sorted(set(parents) - codes):
        raise SegmentTableError(
            f"rfm.segment_parents: {unknown} are no segments; there are {', '.join(sorted(codes))}"
        )
    found = tuple(
        rule._replace(parent_segment=parents.get(rule.segment_code, rule.parent_segment)) for rule in rules
    )
    parent_of = {rule.segment_code: rule.parent_segment for rule in found}
    for rule in found:
        above, seen = rule.parent_segment, {rule.segment_code}
        while above in parent_of:
            if above in seen:
                raise SegmentTableError(
                    f"segment {rule.segment_code} is its own parent; see rfm.segment_parents"
                )
            seen.add(above)
            above = parent_of[above]
        if above == UNSCORED:
            raise SegmentTableError(f"segment {rule.segment_code}: {UNSCORED!r} cannot be a parent")
    return found


def rules_of(custom: Sequence[Mapping[str, Any]] | None) -> tuple[Segment, ...]:
    """The firm's own table if it has one, else the standard table."""
    if custom is None:
        return SEGMENTS
    rules = tuple(_rule(row) for row in custom)
    codes = [rule.segment_code for rule in rules]
    if repeated := sorted({code for code in codes if codes.count(code) > 1 or code == UNSCORED}):
        raise SegmentTableError(f"segment codes {repeated} are used twice or reserved")
    return rules


_FLOOR = set(floors.Floor._fields)
_FIELDS = (set(Segment._fields) - {"floor"}) | _FLOOR


def _rule(row: Mapping[str, Any]) -> Segment:
    if missing := sorted({"segment_code", "segment_name", "cells"} - set(row)):
        raise SegmentTableError(f"segment row {dict(row)} is missing the fields {missing}")
    if unknown := sorted(set(row) - _FIELDS):
        raise SegmentTableError(f"segment {row['segment_code']}: unknown fields {unknown}")
    cells = row["cells"]
    boxes = [part.strip() for part in cells.split(";")] if isinstance(cells, str) else list(cells)
    try:
        floor = floors.Floor(**{name: row[name] for name in _FLOOR & set(row)}).checked()
    except ValueError as error:
        raise SegmentTableError(f"segment {row['segment_code']}: {error}") from error
    return Segment(
        segment_code=str(row["segment_code"]),
        segment_name=str(row["segment_name"]),
        cells=tuple(boxes),
        retention_priority=int(row.get("retention_priority", 5)),
        value_tier=str(row.get("value_tier", "")),
        segment_description=str(row.get("segment_description", "")),
        target_marketing_strategy=str(row.get("target_marketing_strategy", "")),
        floor=floor,
        next_segment=str(row.get("next_segment") or ""),
        parent_segment=str(row.get("parent_segment") or ""),
    )


def compute(rhythm: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of segments: the checked decision table, one row per segment, with its floor in days.

    ``rhythm`` is firm_rhythm. One more row is for unscored customers, and one for each parent that is no
    segment itself.
    """
    del as_of  # the table depends on the firm's row and rhythm
    rules = table_of(firm)
    unscored = Segment(
        UNSCORED, "Unscored", (), 9, "",
        "Below the firm's minimum spend or orders, or the firm has too few customers to score.",
        "None: there is too little to go on.",
    )  # fmt: skip
    codes = {rule.segment_code for rule in rules}
    parents = [
        Segment(code, code.replace("_", " ").title(), (), 9, "", "A wider segment.", "")
        for code in sorted({rule.parent_segment for rule in rules} - codes - {""})
    ]
    gap = floors.usual_gap_days(rhythm, firm=firm)
    rows = [
        {**_row(rule, gap), "segment_type": "parent" if rule in parents else "rfm"}
        for rule in sorted((*rules, unscored, *parents))
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _row(rule: Segment, gap: float) -> dict[str, object]:
    least, most = rule.floor.days(gap)
    return {
        **rule._asdict(),
        "cells": "; ".join(rule.cells),
        "usual_gap_days": gap,
        "min_orders": rule.floor.min_orders,
        "min_silent_days": least,
        "max_silent_days": most,
        "next_segment": rule.next_segment or None,
        "parent_segment": rule.parent_segment or None,
    }


_SCHEMA = pa.schema(
    {
        "segment_code": pa.string(),
        "segment_name": pa.string(),
        "cells": pa.string(),
        "retention_priority": pa.int32(),
        "value_tier": pa.string(),
        "segment_description": pa.string(),
        "target_marketing_strategy": pa.string(),
        "segment_type": pa.string(),
        "usual_gap_days": pa.float64(),
        "min_orders": pa.int32(),
        "min_silent_days": pa.int32(),
        "max_silent_days": pa.int32(),
        "next_segment": pa.string(),
        "parent_segment": pa.string(),
    }
)

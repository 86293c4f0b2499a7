"""RFM segments: a decision table that assigns each of the 125 score cells to a segment.

A rule's ``cells`` are boxes: three groups of digits, the R, F and M scores it covers; ``"45 3 45"`` is R 4-5,
F 3, M 4-5. The boxes must cover every cell exactly once, so the order of rules has no effect. An empty or
overlapping rule is rejected by name. A firm replaces the table in ``rfm.segments`` of its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any, NamedTuple

import pyarrow as pa

from include.models.firm import FirmSettings

UNSCORED = "unscored"


class SegmentTableError(ValueError):
    """A decision table misses a cell, covers a cell twice, or is malformed; the message names it."""


class Segment(NamedTuple):
    """One row of the decision table."""

    segment_code: str
    segment_name: str
    cells: tuple[str, ...]
    retention_priority: int
    value_tier: str
    segment_description: str
    target_marketing_strategy: str


SEGMENTS: tuple[Segment, ...] = (
    Segment(
        "champions", "Champions", ("45 45 45",), 2, "High value",
        "Bought lately, often and for much.",
        "Thank them, give early access, ask for reviews and referrals; no discount is needed.",
    ),
    Segment(
        "loyal", "Loyal Customers", ("45 3 45", "45 45 3", "3 345 45"), 3, "High value",
        "Regular buyers of good value.",
        "Offer the next better product and a loyalty benefit.",
    ),
    Segment(
        "recent", "Recent Customers", ("45 12 12",), 6, "Growth potential",
        "Bought lately, seldom so far, for little.",
        "Welcome them and bring about the second order.",
    ),
    Segment(
        "potential_loyalists", "Potential Loyalists", ("45 3 123", "45 45 12", "3 345 3"), 5,
        "Growth potential",
        "Buy regularly, for modest amounts.",
        "Recommend related products and invite them to the programme.",
    ),
    Segment(
        "promising", "Promising", ("345 12 345",), 6, "Growth potential",
        "Few orders, but large ones, and not long ago.",
        "Show the range; a reason for a second large order.",
    ),
    Segment(
        "needs_attention", "Needs Attention", ("3 2345 12", "2 12 345"), 4, "At risk",
        "Middling and slackening.",
        "A limited offer built on what they bought before.",
    ),
    Segment(
        "about_to_sleep", "About to Sleep", ("3 1 12", "2 345 12"), 5, "At risk",
        "Small buyers who are going quiet.",
        "Remind them with popular products and a small saving.",
    ),
    Segment(
        "at_risk", "At Risk", ("12 3 345", "12 45 3", "1 12 345"), 2, "Recovery",
        "Were good customers; have not bought for long.",
        "A personal message and a renewed benefit, soon.",
    ),
    Segment(
        "cant_lose_them", "Cant Lose Them", ("12 45 45",), 1, "Recovery",
        "Were among the best; have not bought for long.",
        "Call them; find out what went wrong; win them back in person.",
    ),
    Segment(
        "hibernating", "Hibernating", ("2 12 12", "1 345 12", "1 1 2", "1 2 12"), 8, "Recovery",
        "Small or seldom buyers, long silent.",
        "Low-cost reactivation only.",
    ),
    Segment(
        "lost", "Lost", ("1 1 1",), 10, "Recovery",
        "Lowest on every score.",
        "One last message; then leave them in peace.",
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


def _cells(code: str, box: str) -> Iterable[tuple[int, ...]]:
    groups = box.split()
    if len(groups) != 3 or not all(g and set(g) <= set("12345") for g in groups):
        raise SegmentTableError(
            f"segment {code}: cells {box!r} must be three groups of digits 1 to 5, such as '45 3 45'"
        )
    return product(*([int(digit) for digit in dict.fromkeys(group)] for group in groups))


def rules_of(custom: Sequence[Mapping[str, Any]] | None) -> tuple[Segment, ...]:
    """The firm's own table if it has one, else the standard table."""
    if custom is None:
        return SEGMENTS
    rules = []
    for row in custom:
        if missing := sorted({"segment_code", "segment_name", "cells"} - set(row)):
            raise SegmentTableError(f"segment row {dict(row)} is missing the fields {missing}")
        if unknown := sorted(set(row) - set(Segment._fields)):
            raise SegmentTableError(f"segment {row['segment_code']}: unknown fields {unknown}")
        cells = row["cells"]
        boxes = [part.strip() for part in cells.split(";")] if isinstance(cells, str) else list(cells)
        rules.append(
            Segment(
                segment_code=str(row["segment_code"]),
                segment_name=str(row["segment_name"]),
                cells=tuple(boxes),
                retention_priority=int(row.get("retention_priority", 5)),
                value_tier=str(row.get("value_tier", "")),
                segment_description=str(row.get("segment_description", "")),
                target_marketing_strategy=str(row.get("target_marketing_strategy", "")),
            )
        )
    codes = [rule.segment_code for rule in rules]
    if repeated := sorted({code for code in codes if codes.count(code) > 1 or code == UNSCORED}):
        raise SegmentTableError(f"segment codes {repeated} are used twice or reserved")
    return tuple(rules)


def compute(*, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of segments: the checked decision table, one row per segment, and one for unscored customers."""
    del as_of  # the table depends on the firm's row only
    rules = rules_of(firm.rfm.segments)
    cells_of(rules)
    unscored = Segment(
        UNSCORED, "Unscored", (), 9, "",
        "Below the firm's minimum spend or orders, or the firm has too few customers to score.",
        "None: there is too little to go on.",
    )  # fmt: skip
    rows = [
        {**rule._asdict(), "cells": "; ".join(rule.cells), "segment_type": "rfm"}
        for rule in sorted((*rules, unscored))
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


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
    }
)

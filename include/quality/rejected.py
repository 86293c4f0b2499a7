"""Measure the share of a source's rows, and of their money, that cannot be used.

Rows that a source leaves out on purpose, such as cancelled orders, do not count. Rows without a usable date
belong to no month and are read again by each run, so they count for the dataset as a whole only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from include.datasets.extracted import INTENDED
from include.quality.measures import LEAST_ROWS, Measurement

UNDATED = frozenset({"bad_date", "missing_date"})
SHOWN = 3


@dataclass(frozen=True)
class Extracted:
    """What a slice's source gave: rows, their money (None: unknown), and rejected rows by reason."""

    rows: int
    amount: Decimal | None = None
    rejected: Mapping[str, tuple[int, Decimal]] = field(default_factory=dict)

    def unusable(self, *, dated_only: bool = False) -> dict[str, tuple[int, Decimal]]:
        """The reasons of rows that cannot be used, each with its rows and money."""
        left = INTENDED | UNDATED if dated_only else INTENDED
        return {reason: found for reason, found in self.rejected.items() if reason not in left}


def rejected_share(slices: Iterable[Extracted], *, of_money: bool, dated_only: bool) -> Measurement:
    """The share (0 to 1) of rows or of money that cannot be used; None where nothing is known of it."""
    slices = list(slices)
    reasons: dict[str, tuple[int, Decimal]] = {}
    for one in slices:
        for reason, (rows, money) in one.unusable(dated_only=dated_only).items():
            before = reasons.get(reason, (0, Decimal(0)))
            reasons[reason] = (before[0] + rows, before[1] + abs(money))
    read = sum(one.rows for one in slices)
    if dated_only:
        read -= sum(one.rejected[why][0] for one in slices for why in UNDATED & set(one.rejected))
    rows, money = sum(n for n, _ in reasons.values()), sum((m for _, m in reasons.values()), Decimal(0))
    if not read:
        return Measurement(None, "no rows")
    if of_money:
        if any(one.amount is None for one in slices):
            return Measurement(None, "the money of some rows is not known: an earlier release read them")
        whole = sum((one.amount or Decimal(0) for one in slices), Decimal(0))
        observed = f"{money:,.2f} of {whole:,.2f} in rows that cannot be used"
        value = float(money / whole) if whole else None
    else:
        observed = f"{rows:,} of {read:,} rows cannot be used"
        value = rows / read
    worst = sorted(reasons.items(), key=lambda item: -item[1][0])[:SHOWN]
    listed = ", ".join(f"{reason} {n:,}" for reason, (n, _) in worst)
    return Measurement(value, f"{observed}: {listed}" if listed else observed, read >= LEAST_ROWS)

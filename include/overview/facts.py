"""The summary of a sales file: figures by name, and the tables of the page.

Money is Decimal in the file's currency. A chance or a share is 0 to 1. None means unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from include.intake import Answer
from include.overview.figures import Figure, Grain


@dataclass(frozen=True)
class Period:
    """Sales in a window of days: ``name`` is now, before or year_ago."""

    name: str
    customers: int
    new_customers: int
    orders: int
    net_sales: Decimal


@dataclass(frozen=True)
class Month:
    """Sales of a month, a quarter or a year that begins on ``start``."""

    start: date
    orders: int
    net_sales: Decimal
    new_customers: int


@dataclass(frozen=True)
class Cell:
    """Customers with the same recency and frequency score, each 1 to 5."""

    recency: int
    frequency: int
    customers: int
    net_sales: Decimal


@dataclass(frozen=True)
class SegmentSize:
    """A segment with its meaning and recommended action in the language of the page."""

    code: str
    name: str
    meaning: str
    action: str
    customers: int
    net_sales: Decimal
    median_silent_days: float
    median_orders: float
    value: Decimal | None
    at_risk: Decimal | None


@dataclass(frozen=True)
class Cohort:
    """Customers who first bought in a period; ``rates`` by age in periods, None after the end of the file.

    ``is_open`` marks the ages whose period the file does not cover to its end.
    """

    start: date
    customers: int
    rates: tuple[float | None, ...]
    is_open: tuple[bool, ...]


@dataclass(frozen=True)
class Part:
    """A twentieth of the customers, those with the highest amounts first."""

    part: int
    customers: int
    amount: Decimal


@dataclass(frozen=True)
class ChanceBand:
    """Customers with a chance of leaving in the same quarter, 1 to 4, or in the same risk category."""

    band: str
    customers: int
    net_sales: Decimal
    value: Decimal | None
    at_risk: Decimal | None


@dataclass(frozen=True)
class PlannedAction:
    """An action and the customers it is planned for; ``reason`` is in the language of the page."""

    code: str
    reason: str
    customers: int
    cost: Decimal
    benefit: Decimal
    net_sales: Decimal
    value: Decimal


@dataclass(frozen=True)
class Summary:
    """Everything that the page shows."""

    name: str
    as_of: date
    language: str
    currency: str
    figures: Mapping[str, Figure]
    periods: tuple[Period, ...] = ()
    months: tuple[Month, ...] = ()
    month_grain: Grain = "month"
    cells: tuple[Cell, ...] = ()
    segments: tuple[SegmentSize, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    cohort_grain: Grain = "month"
    past_parts: tuple[Part, ...] = ()
    value_parts: tuple[Part, ...] = ()
    chances: tuple[ChanceBand, ...] = ()
    categories: tuple[ChanceBand, ...] = ()
    actions: tuple[PlannedAction, ...] = ()
    answer: Answer | None = None
    methods: Mapping[str, str] = field(default_factory=dict)

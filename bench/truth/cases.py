"""The firms, days and horizons of the lane, and the bars that hold there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from bench import sales
from bench.sales import Files
from include.simulator import Plan


class Case(NamedTuple):
    """One firm on one day. ``value_days`` and ``churn_days`` are horizons; empty or 0: not measured.

    ``spearman`` is the least rank correlation by horizon, ``most_ece`` the bar of churn's calibration.
    """

    firm: str
    as_of: date
    value_days: tuple[int, ...] = ()
    churn_days: int = 0
    every_months: int = 3
    spearman: dict[int, float] = {}  # noqa: RUF012 - never changed
    most_ece: float = 0.025


AUC_MARGIN = 0.003
CHARITY = [date(year, month, 1) for year in range(2011, 2015) for month in (1, 7)] + [date(2015, 1, 1)]
CASES = (
    *(Case("charity", day, (180, 365), 365, spearman={365: 0.54}, most_ece=0.02) for day in CHARITY),
    *(Case("charity", day, (180, 365), 180) for day in (date(2013, 5, 15), date(2014, 11, 15))),
    Case("complete_journey", date(2017, 10, 3), (90,), 0, 1, {90: 0.83}),
    Case("complete_journey", date(2017, 12, 1), (), 30, 1),
    Case("cdnow", date(1998, 1, 2), (180,), 0, 1, {180: 0.45}),
    Case("cdnow", date(1998, 4, 2), (), 90, 1),
    Case("retail_transactions", date(2014, 9, 15), (180,), 90, 3, {180: 0.32}),
    Case("retail_transactions", date(2014, 3, 15), (180, 365), 90, 3),
    Case("retail_transactions", date(2013, 9, 15), (180, 365), 90, 3),
    *(Case("christmas", day, (180, 365), 90, 3, {}, 0.04) for day in (date(2025, 1, 1), date(2025, 10, 1))),
    Case("grocer", date(2025, 7, 1), (180, 365), 60),
)
ZONES = {"complete_journey": "America/New_York"}


def _christmas(folder: Path) -> Files:
    plan = Plan(
        customers=8_000,
        start=date(2021, 1, 1),
        end=date(2026, 10, 1),
        seed=41,
        counts=(0.8, 14.0, 0.5, 3.0),
        season_strength=0.6,
        anonymous_share=0.0,
    )
    return sales.simulated(plan, folder)


def _grocer(folder: Path) -> Files:
    plan = Plan(
        customers=5_000,
        start=date(2023, 1, 1),
        end=date(2026, 7, 1),
        seed=43,
        counts=(1.1, 9.0, 0.6, 9.0),
        anonymous_share=0.0,
    )
    return sales.simulated(plan, folder)


FIRMS: dict[str, Callable[[Path], Files]] = {
    "charity": sales.charity,
    "retail_transactions": sales.retail_transactions,
    "complete_journey": sales.complete_journey,
    "cdnow": sales.cdnow,
    "christmas": _christmas,
    "grocer": _grocer,
}

"""Windows of a backtest: past cutoffs with the spend that followed, and the models fitted before each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from include.models import season
from include.models.ltv import candidates
from include.models.purchases.likelihood import Floats
from include.models.purchases.model import PurchaseModel
from include.models.season import Season, Year

NEAR = timedelta(days=3)
"""A window counts as a year earlier if its cutoff is this near."""
QUARTER_STARTS = (0, 95, 185, 275)
"""Days after the training date; whole years before them, training rows have a cutoff."""


class Window(NamedTuple):
    """One cutoff: one row per customer, with the spend of the following ``horizon_days`` (0: unknown)."""

    cutoff: date
    horizon_days: int
    rows: pa.Table

    @property
    def end(self) -> date:
        """First day after the window."""
        return self.cutoff + timedelta(days=self.horizon_days)


class Fits(NamedTuple):
    """Count models and spend model fitted on the histories before a window's cutoff."""

    window: Window
    counts: dict[str, PurchaseModel]
    spends: candidates.Spends | None


def windows_of(table: pa.Table) -> list[Window]:
    """Split value_histories by cutoff and horizon, oldest first; the last window is the training date's."""
    found = []
    pairs = table.select(["cutoff", "horizon_days"]).group_by(["cutoff", "horizon_days"]).aggregate([])
    for row in sorted(pairs.to_pylist(), key=lambda row: (row["cutoff"], row["horizon_days"])):
        is_in = pc.and_(
            pc.equal(table["cutoff"], pa.scalar(row["cutoff"], pa.date32())),
            pc.equal(table["horizon_days"], pa.scalar(row["horizon_days"], pa.int32())),
        )
        found.append(Window(row["cutoff"], row["horizon_days"], table.filter(is_in).combine_chunks()))
    return found


def fit(window: Window) -> Fits:
    """Fit the count models and the spend model on a window's histories."""
    if not window.rows.num_rows:
        return Fits(window, {}, None)
    return Fits(window, candidates.fit_counts(window.rows), candidates.fit_spends(window.rows))


class Past:
    """All windows of a training date, each cutoff fitted once, on data before it only."""

    def __init__(self, windows: Iterable[Window]) -> None:
        """Windows with a known outcome, and the training date's."""
        self._fits: dict[date, Fits] = {}
        self._years: dict[tuple[date, int, str], tuple[Year | None, Year | None]] = {}
        self.windows = [window for window in windows if window.horizon_days]

    @property
    def horizons(self) -> list[int]:
        """Horizons with a window, rising."""
        return sorted({window.horizon_days for window in self.windows})

    def of(self, horizon_days: int) -> list[Window]:
        """Windows of a horizon, oldest first; they overlap."""
        return [window for window in self.windows if window.horizon_days == horizon_days]

    def fits(self, window: Window) -> Fits:
        """Models fitted before the window's cutoff."""
        if window.cutoff not in self._fits:
            self._fits[window.cutoff] = fit(window)
        return self._fits[window.cutoff]._replace(window=window)

    def evaluated(self, horizon_days: int, *, most: int) -> list[Window]:
        """Latest windows of a horizon that do not overlap, oldest first."""
        found: list[Window] = []
        for window in reversed(self.of(horizon_days)):
            if len(found) < most and (not found or window.end <= found[-1].cutoff):
                found.append(window)
        return found[::-1]

    def before(self, cutoff: date, horizon_days: int, *, most: int) -> list[Fits]:
        """Latest windows that ended by ``cutoff``, overlapping, oldest first, to train on."""
        ended = [window for window in self.of(horizon_days) if window.end <= cutoff]
        return [self.fits(window) for window in ended[-most:]]

    def season(self, cutoff: date, horizon_days: int, kind: str) -> tuple[Season, Season]:
        """Season of spend and of purchases of the window at ``cutoff``, from the years before it."""
        found = []
        for back in range(1, season.YEARS + 1):
            day = cutoff - back * season.YEAR
            near = [w for w in self.of(horizon_days) if abs(w.cutoff - day) <= NEAR and w.end <= cutoff]
            found += [self._year(window, kind) for window in near[:1]]
        return (
            season.estimate([spend for spend, _ in found if spend is not None]),
            season.estimate([orders for _, orders in found if orders is not None]),
        )

    def _year(self, window: Window, kind: str) -> tuple[Year | None, Year | None]:
        key = (window.cutoff, window.horizon_days, kind)
        if key not in self._years:
            self._years[key] = self._compare(window, kind)
        return self._years[key]

    def _compare(self, window: Window, kind: str) -> tuple[Year | None, Year | None]:
        fitted = self.fits(window)
        if fitted.spends is None or kind not in fitted.counts:
            return None, None
        rows, model = window.rows, fitted.counts[kind]
        orders = candidates.expected_orders(model, rows, horizon_days=window.horizon_days)
        x, _, _, m = candidates.histories(rows)
        spend = candidates.kept_share(rows) * orders * fitted.spends.model.expected_spend(x, m)
        return (
            season.year(window.cutoff, spend, candidates.floats(rows, "holdout_spend")),
            season.year(window.cutoff, orders, purchase_days(rows)),
        )


def purchase_days(rows: pa.Table) -> Floats:
    """Days with a purchase in the window: its orders, times the customers' days per order so far."""
    days = float((candidates.floats(rows, "frequency") + 1.0).sum())
    orders = float(candidates.floats(rows, "order_count").sum())
    return candidates.floats(rows, "holdout_orders") * (days / max(orders, 1.0))


def offsets(past: Past, anchor: date, horizon_days: int, kind: str) -> list[tuple[int, Season, Season]]:
    """Season of windows that start up to three quarters after the training date: day, spend, purchases."""
    found = []
    for day in QUARTER_STARTS:
        spend, orders = past.season(anchor + timedelta(days=day), horizon_days, kind)
        if spend.years:
            found.append((day, spend, orders))
    return found

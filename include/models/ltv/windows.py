"""Windows of a backtest: past cutoffs with the spend that followed, and the models fitted before each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
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
LATER = re.compile(r"spend_(\d+)_days_later")
"""Columns of training rows with the spend of the window that starts some days after the cutoff."""


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
        self._years: dict[tuple[date, int, str, int], tuple[Year | None, Year | None]] = {}
        self.windows = [window for window in windows if window.horizon_days]

    @property
    def horizons(self) -> list[int]:
        """Horizons with a window, rising."""
        return sorted({window.horizon_days for window in self.windows})

    @property
    def later_days(self) -> list[int]:
        """Days after a cutoff at which its rows know another window."""
        names = self.windows[0].rows.column_names if self.windows else []
        return sorted(int(found[1]) for name in names if (found := LATER.fullmatch(name)))

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

    def season(self, cutoff: date, horizon_days: int, kind: str, *, later: int = 0) -> tuple[Season, Season]:
        """Season of spend and of purchases of the window at ``cutoff``, from the years before it.

        ``later`` moves the window by one of ``later_days``; it then has no season of purchases.
        """
        found = []
        for back in range(1, season.YEARS + 1):
            day = cutoff - back * season.YEAR
            near = [w for w in self.of(horizon_days) if abs(w.cutoff - day) <= NEAR and w.end <= cutoff]
            found += [self._year(window, kind, later) for window in near[:1]]
        return (
            season.estimate([spend for spend, _ in found if spend is not None]),
            season.estimate([orders for _, orders in found if orders is not None]),
        )

    def _year(self, window: Window, kind: str, later: int) -> tuple[Year | None, Year | None]:
        key = (window.cutoff, window.horizon_days, kind, later)
        if key not in self._years:
            self._years[key] = self._compare(window, kind, later)
        return self._years[key]

    def _compare(self, window: Window, kind: str, later: int) -> tuple[Year | None, Year | None]:
        fitted = self.fits(window)
        if fitted.spends is None or kind not in fitted.counts:
            return None, None
        rows, model = window.rows, fitted.counts[kind]
        realised = candidates.floats(rows, f"spend_{later}_days_later" if later else "holdout_spend")
        if np.isnan(realised).any():
            return None, None
        orders = candidates.expected_orders(model, rows, horizon_days=window.horizon_days + later)
        if later:
            orders = orders - candidates.expected_orders(model, rows, horizon_days=later)
        x, _, _, m = candidates.histories(rows)
        spend = candidates.kept_share(rows) * orders * fitted.spends.model.expected_spend(x, m)
        return (
            season.year(window.cutoff + timedelta(days=later), spend, realised),
            None if later else season.year(window.cutoff, orders, purchase_days(rows)),
        )


def purchase_days(rows: pa.Table) -> Floats:
    """Days with a purchase in the window: its orders, times the customers' days per order so far."""
    days = float((candidates.floats(rows, "frequency") + 1.0).sum())
    orders = float(candidates.floats(rows, "order_count").sum())
    return candidates.floats(rows, "holdout_orders") * (days / max(orders, 1.0))


def offsets(past: Past, anchor: date, horizon_days: int, kind: str) -> list[tuple[int, Season, Season]]:
    """Season of windows that start up to a year after the training date: day, spend, purchases.

    Training cutoffs are a quarter apart. Of a sharp season the windows between them are measured too; they
    are those that start some days after a cutoff, of the customers known at the cutoff.
    """
    found: dict[int, tuple[Season, Season]] = {}
    for day in QUARTER_STARTS:
        spend, orders = past.season(anchor + timedelta(days=day), horizon_days, kind)
        if not spend.years:
            continue
        found[day] = spend, orders
        for later in past.later_days:
            moved, _ = past.season(anchor + timedelta(days=day), horizon_days, kind, later=later)
            if moved.years:
                found.setdefault(day + later, (moved, orders))
    return [(day, *found[day]) for day in sorted(found) if day <= QUARTER_STARTS[-1]]

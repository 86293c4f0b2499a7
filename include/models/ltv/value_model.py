"""A value model, read back from its artefact: parameters, a model per horizon, seasons, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from include.models import season
from include.models.ltv import candidates
from include.models.ltv import trees as ltv_trees
from include.models.ltv.intervals import Conformal
from include.models.ltv.trees import Trees
from include.models.purchases.gammagamma import GammaGamma
from include.models.purchases.model import PurchaseModel
from include.models.season import Season

YEAR = 365


class Horizon(NamedTuple):
    """The model of one horizon. ``scale`` makes the trees' total that of the count model, before season."""

    method: str
    trees: Trees | None
    scale: float


class Quarter(NamedTuple):
    """Season of windows that start ``day`` days after the training date: of spend and of purchases."""

    day: int
    spend: Season
    orders: Season


class ValueModel(NamedTuple):
    """A value model, read back and ready to predict.

    ``alive`` is the count model of P(alive); ``horizons`` holds the model of each horizon that has its own,
    ``seasons`` the season by length of the window. ``kept_share`` is net spend over sales before returns.
    ``parameter_ses`` are standard errors of the firm's total due to the estimated parameters and the season,
    as a share of that total, by span. ``conformal`` (by span) and ``interval_z`` calibrate the intervals of
    customers and of the firm (``intervals.py``).
    """

    method: str
    anchor: date
    horizon_days: int
    counts: PurchaseModel | None
    alive: PurchaseModel | None
    spends: GammaGamma | None
    horizons: dict[int, Horizon]
    seasons: dict[int, list[Quarter]]
    kept_share: float
    margin_share: float
    has_intervals: bool
    conformal: dict[str, Conformal]
    interval_z: float
    parameter_ses: dict[str, float]

    def season(self, days: float, as_of: date) -> tuple[Season, Season]:
        """Season of spend and of purchases over ``days`` from ``as_of``; over more than a year, a year's."""
        found = self.seasons.get(int(min(days, YEAR)), [])
        day = (as_of - self.anchor).days
        return (
            season.between_days([(at.day, at.spend) for at in found], day=day),
            season.between_days([(at.day, at.orders) for at in found], day=day),
        )

    def horizon_of(self, days: float) -> int:
        """The horizon whose model predicts ``days``: its own, else the year's beyond it, else the main."""
        if days in self.horizons:
            return int(days)
        return YEAR if days > YEAR and YEAR in self.horizons else self.horizon_days


def from_parts(parts: dict[str, Any]) -> ValueModel:
    """Build the value model from the parts of its artefact. The keys of the header are persisted names.

    A model of version 1 has one horizon, no season and one conformal factor.
    """
    header = parts["header"]
    counts, spends = parts.get("counts"), parts.get("gammagamma")
    main = header["horizon_days"]
    trees = ltv_trees.unpack(parts["trees"], horizon_days=main) if "trees" in parts else {}
    horizons = header.get("horizons", {str(main): {"method": header["method"], "level": header["level"]}})
    one = {"factors": [header["stretch"]]}
    spans = header.get("fifths", {"1_year": one, "horizon": one})
    return ValueModel(
        method=header["method"],
        anchor=date.fromisoformat(header["anchor"]),
        horizon_days=main,
        counts=_counts_from(counts) if counts else None,
        alive=_counts_from(parts.get("alive", counts)) if counts else None,
        spends=GammaGamma.from_row(spends) if spends else None,
        horizons={
            int(days): Horizon(row["method"], trees.get(int(days)), row["level"])
            for days, row in horizons.items()
        },
        seasons={
            int(days): [
                Quarter(row["day"], _season_from(row["spend"]), _season_from(row["orders"])) for row in rows
            ]
            for days, rows in header.get("season", {}).items()
        },
        kept_share=header["kept_share"],
        margin_share=header["margin_share"],
        has_intervals=header["has_intervals"],
        conformal={
            name: Conformal(tuple(row.get("bounds", ())), tuple(row["factors"]))
            for name, row in spans.items()
        },
        interval_z=header["reach"],
        parameter_ses=header["doubts"],
    )


def season_to_json(found: Season) -> dict[str, Any]:
    """JSON of a season, with the years it was estimated from."""
    return {
        "log_factor": found.log_factor,
        "error": found.error,
        "between": found.between,
        "years": [
            {"cutoff": past.cutoff.isoformat(), "log_ratio": past.log_ratio, "error": past.error}
            for past in found.years
        ],
    }


def _season_from(row: Mapping[str, Any]) -> Season:
    years = (
        season.Year(date.fromisoformat(past["cutoff"]), past["log_ratio"], past["error"])
        for past in row["years"]
    )
    return Season(row["log_factor"], row["error"], row["between"], tuple(years))


def _counts_from(row: dict[str, Any]) -> PurchaseModel:
    kinds: dict[str, type[PurchaseModel]] = {
        "bgnbd": candidates.bgnbd.BgNbd,
        "mbgnbd": candidates.mbgnbd.MbgNbd,
        "paretonbd": candidates.paretonbd.ParetoNbd,
    }
    fitted: PurchaseModel = kinds[row["model"]].from_row(row)
    return fitted

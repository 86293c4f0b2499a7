"""Fields of a firm's row that decide how customers are scored: RFM, churn and lifetime value."""

from __future__ import annotations

from pydantic import Field, model_validator

from include.row_checks import Real, Strict, Whole

TIER_CODES = ("basic", "bronze", "silver", "gold", "platinum")
STANDARD_BOUNDS = (20.0, 40.0, 70.0, 90.0)  # lowest value percentiles of the tiers above basic


class Rfm(Strict):
    """A firm's RFM settings."""

    window_days: Whole = Field(default=365, ge=1, le=3650)
    quantiles: tuple[Real, Real, Real, Real] = (0.2, 0.4, 0.6, 0.8)
    min_customers: Whole = Field(default=20, ge=5)
    new_days: Whole = Field(default=30, ge=1)
    active_days: Whole = Field(default=90, ge=1)
    passive_days: Whole = Field(default=180, ge=1)
    segments: tuple[dict[str, object], ...] | None = None
    segment_parents: dict[str, str] = Field(default_factory=dict)

    @property
    def added_and_unset(self) -> set[str]:
        """Fields of later releases that are at their default: no part of a hash of the firm's settings."""
        return set() if self.segment_parents else {"segment_parents"}

    @model_validator(mode="after")
    def _in_order(self) -> Rfm:
        if list(self.quantiles) != sorted(set(self.quantiles)) or not all(0 < q < 1 for q in self.quantiles):
            raise ValueError("rfm.quantiles must be four rising numbers between 0 and 1")
        if not self.new_days <= self.active_days < self.passive_days:
            raise ValueError("rfm: new_days <= active_days < passive_days must hold")
        return self


class Churn(Strict):
    """A firm's churn settings."""

    category_bounds: tuple[Real, Real, Real] = (25, 50, 75)
    band_bounds: tuple[Real, Real] = (0.6, 0.95)
    decision_threshold: Real = Field(default=0.5, gt=0, lt=1)
    most_cutoffs: Whole = Field(default=9, ge=3, le=60)
    sample_customers: Whole = Field(default=20_000, ge=1_000)
    min_customers: Whole = Field(default=500, ge=50)
    min_repeat_buyers: Whole = Field(default=50, ge=20)
    min_events: Whole = Field(default=50, ge=10)
    min_tenure_days: Whole = Field(default=0, ge=0)

    @property
    def added_and_unset(self) -> set[str]:
        """Fields of later releases that are at their default: no part of a hash of the firm's settings."""
        return set() if self.min_tenure_days else {"min_tenure_days"}

    @model_validator(mode="after")
    def _in_order(self) -> Churn:
        for name, bounds in (("category_bounds", self.category_bounds), ("band_bounds", self.band_bounds)):
            if list(bounds) != sorted(set(bounds)):
                raise ValueError(f"churn.{name} must rise")
        return self


class Ltv(Strict):
    """A firm's lifetime value settings."""

    annual_discount_rate: Real = Field(default=0.10, gt=0, lt=1)
    margin_share: Real = Field(default=0.30, gt=0, le=1)
    min_customers: Whole = Field(default=500, ge=50)
    min_repeat_buyers: Whole = Field(default=200, ge=20)
    tier_bounds: tuple[Real, Real, Real, Real] = STANDARD_BOUNDS
    tier_benefits: dict[str, str] = Field(default_factory=dict)

    @property
    def added_and_unset(self) -> set[str]:
        """Fields of later releases that are at their default: no part of a hash of the firm's settings."""
        unset = set() if self.tier_benefits else {"tier_benefits"}
        return unset if self.tier_bounds != STANDARD_BOUNDS else unset | {"tier_bounds"}

    @model_validator(mode="after")
    def _tiers_are_known(self) -> Ltv:
        bounds = self.tier_bounds
        if list(bounds) != sorted(set(bounds)) or not all(0 < bound < 100 for bound in bounds):
            raise ValueError("ltv.tier_bounds must be four rising percentiles between 0 and 100")
        if unknown := sorted(set(self.tier_benefits) - set(TIER_CODES)):
            raise ValueError(f"ltv.tier_benefits: {unknown} are no tiers; there are {list(TIER_CODES)}")
        if wrong := sorted(code for code, text in self.tier_benefits.items() if not 1 <= len(text) <= 300):
            raise ValueError(f"ltv.tier_benefits: the texts of {wrong} must have 1 to 300 characters")
        return self

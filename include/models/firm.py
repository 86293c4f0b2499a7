"""What a model may read of a firm; ``include.firms.Firm`` satisfies it."""

from __future__ import annotations

from typing import Any, Protocol

NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency: money is written as plain numbers."""


class RfmSettings(Protocol):
    """Settings of RFM."""

    window_days: int
    quantiles: tuple[float, float, float, float]
    min_customers: int
    new_days: int
    active_days: int
    passive_days: int
    segments: tuple[dict[str, object], ...] | None
    segment_parents: dict[str, str]


class ChurnSettings(Protocol):
    """Settings of churn."""

    category_bounds: tuple[float, float, float]
    band_bounds: tuple[float, float]
    decision_threshold: float
    most_cutoffs: int
    sample_customers: int
    min_customers: int
    min_repeat_buyers: int
    min_events: int
    min_tenure_days: int


class LtvSettings(Protocol):
    """Settings of lifetime value."""

    annual_discount_rate: float
    margin_share: float
    min_customers: int
    min_repeat_buyers: int
    tier_bounds: tuple[float, float, float, float]


class FirmSettings(Protocol):
    """A firm's settings, as models read them."""

    @property
    def firm_key(self) -> str:
        """Its key."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def language(self) -> str:
        """The language of its texts."""
        ...

    @property
    def currency(self) -> str:
        """The currency of its amounts."""
        ...

    @property
    def churn_threshold_days(self) -> int:
        """Days without a purchase after which a customer has churned."""
        ...

    @property
    def min_spend(self) -> float:
        """Least spend of a customer whom RFM scores."""
        ...

    @property
    def min_orders(self) -> int:
        """Fewest orders of a customer whom RFM scores."""
        ...

    @property
    def rfm(self) -> RfmSettings:
        """Settings of RFM."""
        ...

    @property
    def churn(self) -> ChurnSettings:
        """Settings of churn."""
        ...

    @property
    def ltv(self) -> LtvSettings:
        """Settings of lifetime value."""
        ...

    @property
    def actions(self) -> Any:
        """Settings of actions."""
        ...

"""The parameters of a simulated firm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Plan:
    """Parameters of a simulated firm. The same plan gives the same rows."""

    customers: int
    start: date
    end: date  # exclusive
    seed: int
    timezone: str = "UTC"
    counts: tuple[float, float, float, float] = (0.25, 4.4, 0.8, 2.4)  # BG/NBD r, alpha, a, b; weeks
    spend: tuple[float, float, float] = (6.25, 3.74, 15.44)  # Gamma-Gamma p, q, gamma
    joining_share: float = 0.7  # first purchases occur in this first part of the period
    joining_power: float = 1.0  # below 1: more customers join late (the firm grows); above 1: early
    regularity: int = 1  # Erlang shape of the times between purchases; 1 is exponential, 20 nearly regular
    one_timer_share: float = 0.0
    season_strength: float = 0.0
    lines_per_order: float = 2.5
    discount_share: float = 0.2
    return_share: float = 0.05
    cancelled_share: float = 0.02
    anonymous_share: float = 0.1
    member_share: float = 0.6
    interactions_per_customer: float = 0.0  # sessions, inquiries, tickets and surveys
    campaigns: int = 0  # evenly over the period; each writes to all customers of its day
    products: int = 500
    batch_customers: int = 10_000

    @property
    def days(self) -> int:
        """Days from start to end."""
        return (self.end - self.start).days


# A grocer over two years: about 5 million lines.
LARGE = Plan(
    customers=200_000,
    start=date(2024, 1, 1),
    end=date(2026, 1, 1),
    seed=2026,
    timezone="Europe/Istanbul",
    counts=(1.1, 9.0, 0.6, 9.0),
    season_strength=0.3,
    lines_per_order=3.3,
    products=5_000,
)

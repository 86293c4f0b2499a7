"""Buy-till-you-die purchase counts: the MBG/NBD model.

Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base
analysis", International Journal of Research in Marketing 24(3). BG/NBD with one more
opportunity to leave, right after the first purchase, so a one-time buyer may have left.
"""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from include.models.purchases import betageometric
from include.models.purchases.bgnbd import BgNbd


@dataclass(frozen=True, kw_only=True)
class MbgNbd(BgNbd):
    """Fitted parameters; alpha is in weeks, the others have no unit."""

    model: ClassVar[str] = "mbgnbd"
    first_chance: ClassVar[int] = 1


def fit(groups: pa.Table) -> MbgNbd:
    """Maximum likelihood from one row per distinct (frequency, recency_days, age_days) and its customers."""
    return betageometric.fit(groups, MbgNbd, first_chance=MbgNbd.first_chance)

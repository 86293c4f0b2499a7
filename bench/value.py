"""How often value's 80 % intervals hold on simulated firms of three kinds: customers, and firms' totals.

Each firm is trained at an anchor as a real one would be, and compared with what its customers do afterwards;
totals are of each window of the backtest too. The allowance is five points to either side of 80 %, so
``share_of_limit`` is the distance over five points; ``ours_s`` is the time a firm takes.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.rows import Row
from include.models.ltv.intervals import LEVEL
from tests.models.ltv import simulated

FIRMS = 30
ALLOWED = 0.05


def rows() -> Iterator[Row]:
    """Customers and totals, of all kinds together."""
    found, started = [], time.process_time()
    for kind in simulated.KINDS:
        for seed in range(101, 101 + FIRMS):
            with tempfile.TemporaryDirectory() as folder:
                found.append(simulated.held(kind, seed, Path(folder)))
    each = (time.process_time() - started) / len(found)
    customers = np.concatenate([firm.customers for firm in found])
    totals = {
        kind: np.array([firm.totals for firm in found[at * FIRMS : (at + 1) * FIRMS]]).mean()
        for at, kind in enumerate(simulated.KINDS)
    }
    said = ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in totals.items())
    yield _row(
        f"customers in the year after the anchor, {len(customers):,} open intervals", customers.mean(), each
    )
    yield _row(
        f"totals of {len(found)} firms, five each ({said})", float(np.mean(list(totals.values()))), each
    )


def _row(name: str, share: float, seconds: float) -> Row:
    return Row(
        name=f"80 % intervals held {100 * share:.1f} % of {name}",
        ours_s=seconds,
        limit=ALLOWED,
        share_of_limit=abs(share - LEVEL) / ALLOWED,
    )

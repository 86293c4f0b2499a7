"""Columns of a simulated firm's tables."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.simulator.behaviour import Floats, Ints
from include.simulator.plan import Plan

MONEY = pa.decimal128(18, 4)


def instants(plan: Plan, days: Floats, second: Ints) -> pa.Array:
    """UTC timestamps of seconds within local days. ``days`` count from the plan's start."""
    start = int(datetime.combine(plan.start, datetime.min.time(), tzinfo=UTC).timestamp())
    local = pa.array((start + np.floor(days).astype(np.int64) * 86_400 + second) * 1_000_000)
    naive = local.cast(pa.timestamp("us"))
    zoned = pc.assume_timezone(naive, plan.timezone, ambiguous="earliest", nonexistent="latest")
    return zoned.cast(pa.timestamp("us", tz="UTC"))


def money(cents: Ints) -> pa.Array:
    """Cents as an exact decimal of units."""
    hundredths = pa.array(cents.astype(np.int64)).cast(pa.decimal128(19, 0))
    return pc.multiply(hundredths, pa.scalar(pa.scalar("0.01").cast(pa.decimal128(3, 2)))).cast(MONEY)


def ids(prefix: str, numbers: Ints, width: int) -> pa.Array:
    """``prefix`` and a zero-padded number."""
    text = pc.utf8_lpad(pc.cast(pa.array(numbers.astype(np.int64)), pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, text, "")


def pick(rng: np.random.Generator, values: tuple[str, ...], count: int) -> pa.Array:
    """Draw ``count`` values uniformly."""
    return pa.array(values).take(pa.array(rng.integers(0, len(values), count)))

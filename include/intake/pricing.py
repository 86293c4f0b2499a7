"""Distinguish a unit price from a line total by the values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.intake.money import CENT, UNIT, Amounts, Bools

ENOUGH_ROWS = 20
ENOUGH_PRODUCTS = 5


def price_is_total(quantity: Amounts, price: Amounts, products: pa.Array | None) -> bool:
    """Whether a price column holds line totals.

    The unit price of a product does not change with the quantity. Without products: every line total is
    divisible by its own quantity to whole cents, but not by the quantities of other rows.
    """
    whole = quantity.known & price.known & (quantity.units % UNIT == 0) & (price.units != 0)
    count = np.abs(quantity.units) // UNIT
    several = whole & (count >= 2) & (price.units % CENT == 0)
    if (
        products is not None
        and (is_total := _by_product(count, np.abs(price.units), whole, products)) is not None
    ):
        return is_total
    if several.sum() < ENOUGH_ROWS:
        return False
    cents, units = np.abs(price.units[several]) // CENT, count[several]
    own = float((cents % units == 0).mean())
    others = np.random.default_rng(0).permutation(cents)
    chance = float((others % units == 0).mean())
    return own >= 0.98 and chance <= 0.75


def _by_product(count: np.ndarray, price: np.ndarray, usable: Bools, products: pa.Array) -> bool | None:
    """Decide by products sold in several quantities; None if they do not decide."""
    encoded = products.dictionary_encode()
    known = usable & np.asarray(encoded.indices.is_valid()) & (count >= 1)
    code = np.asarray(encoded.indices.fill_null(0))[known]
    if not len(code):
        return None
    n, p = count[known], price[known].astype("float64")
    size = len(encoded.dictionary)
    if not (_spread(code, n.astype("float64"), size) > 0).any():
        return None
    varied = _spread(code, n.astype("float64"), size) > 0
    of_price, of_ratio = _spread(code, p, size)[varied], _spread(code, p / n, size)[varied]
    if varied.sum() < ENOUGH_PRODUCTS:
        return None
    if (of_price <= 1e-9).mean() >= 0.6 or np.median(of_price) < np.median(of_ratio):
        return False
    return True if (of_ratio <= 0.005).mean() >= 0.8 else None


def _spread(code: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """(max - min) / max of each group."""
    low, high = np.full(size, np.inf), np.zeros(size)
    np.minimum.at(low, code, values)
    np.maximum.at(high, code, values)
    return np.where(high > 0, (high - low) / np.where(high > 0, high, 1), 0)

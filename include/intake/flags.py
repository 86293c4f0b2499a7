"""Columns of flags: an order that was cancelled, is a test, or was refunded, as yes or no."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.intake.datestyle import date_share
from include.intake.money import Bools
from include.intake.samples import sample_of, text_of
from include.intake.tables import Table
from include.intake.vocabulary import WORDS, listed

YES, NO = (frozenset(listed(WORDS[key])) for key in ("yes", "no"))
FLAGS = ("is_cancelled", "is_refunded")


def checked_flags(table: Table, at: dict[str, int]) -> dict[str, int]:
    """The mapping without flag columns that have other values; a refund column of flags is a flag.

    A column of amounts called ``Refunded`` is a refund; one of yes and no says which orders were refunded.
    """
    found = dict(at)
    refund = found.get("refund_amount")
    if refund is not None and refund not in table.typed and is_flag(table, refund, footer=0):
        del found["refund_amount"]
        found.setdefault("is_refunded", refund)
    for role in FLAGS:
        if role in found and not is_flag(table, found[role]):
            del found[role]
    if "cancelled_at" in found:
        days = sample_of(table, found["cancelled_at"])
        if len(days) and date_share(days) < 0.9:
            del found["cancelled_at"]
    return found


def is_flag(table: Table, at: int, footer: int = 3) -> bool:
    """Whether the values of a column are yes or no, in words or as 1 and 0, except in the last rows."""
    text = pc.utf8_lower(text_of(table, at))
    values = set(pc.unique(text.drop_null()).to_pylist())
    if values <= {"0", "1"} and "1" not in values:
        return bool(values)  # zero refunds and no flag give the same figures
    other = pc.invert(pc.is_in(text.drop_null(), value_set=pa.array(sorted(YES | NO))))
    if not pc.any(other).as_py():
        return bool(values)
    body = text.slice(0, max(len(text) - footer, 0)).drop_null()
    return len(body) > footer and set(pc.unique(body).to_pylist()) <= YES | NO


def is_yes(table: Table, at: int) -> Bools:
    """The rows whose flag is set."""
    text = pc.utf8_lower(text_of(table, at))
    return np.asarray(pc.fill_null(pc.is_in(text, value_set=pa.array(sorted(YES))), False))

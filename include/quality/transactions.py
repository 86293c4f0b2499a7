"""The gate's rules for sale and return lines, beside those of the contract."""

from include.quality.rules import RowRule
from include.quality.shared_rules import (
    BETWEEN,
    EVENT_DAYS,
    FEW_REJECTED,
    IN_SET,
    MONTH_VOLUME,
    NOTHING_LOST,
    freshness,
    known,
    not_negative,
    usable,
    usual_amount,
)

CENT = 0.01005  # a cent; no difference of amounts with four decimals lies on the bound itself

SUITE = (
    usable("transaction_id"),
    usable("line_id"),
    RowRule("kind_known", "kind", IN_SET, "'sale' or 'return'.", {"value_set": ["sale", "return"]}),
    *EVENT_DAYS,
    not_negative("quantity", "quantity"),
    RowRule(
        "quantity_sane",
        "quantity",
        BETWEEN,
        "At most 1,000,000 units on a line.",
        {"max_value": 1_000_000},
        fail_above=0.01,
    ),
    not_negative("gross", "gross_amount"),
    not_negative("discount", "discount_amount"),
    RowRule(
        "net_not_negative",
        "net_amount",
        BETWEEN,
        "Zero or more: a discount is no larger than the gross.",
        {"min_value": 0},
        fail_above=0.05,
    ),
    RowRule(
        "net_adds_up",
        "net_amount",
        BETWEEN,
        "Gross less discount, to the cent.",
        {"min_value": -CENT, "max_value": CENT},
        of="net_gap",
        fail_above=0.01,
    ),
    known("customer"),
    known("product"),
    usual_amount("usual_amount", "net_amount", "sale line"),
    MONTH_VOLUME,
    NOTHING_LOST,
    *FEW_REJECTED,
    freshness("event", fail_above=3),
)

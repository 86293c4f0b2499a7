"""The gate's rules for sale and return lines, beside those of the contract."""

from include.periods import EARLIEST
from include.quality.rules import MeasureRule, RowRule

BETWEEN = "expect_column_values_to_be_between"
IN_SET = "expect_column_values_to_be_in_set"
MATCH = "expect_column_values_to_match_regex"
NULL = "expect_column_values_to_be_null"

ID = {"regex": r"^[^\x00]+$"}  # any text but the empty one and NUL, which Postgres cannot hold
CENT = 0.0101  # a cent, and what a float adds to it

SUITE = (
    RowRule("transaction_id_usable", "transaction_id", MATCH, "Not empty, no NUL character.", ID),
    RowRule("line_id_usable", "line_id", MATCH, "Not empty, no NUL character.", ID),
    RowRule("kind_known", "kind", IN_SET, "'sale' or 'return'.", {"value_set": ["sale", "return"]}),
    RowRule(
        "occurred_before_as_of",
        "occurred_at",
        BETWEEN,
        "From 1990 to as_of, which is excluded.",
        {"min_value": EARLIEST, "max_value": "as_of_instant", "strict_max": True},
    ),
    RowRule(
        "day_in_month",
        "order_date",
        BETWEEN,
        "In the slice's month and before as_of.",
        {"min_value": "month_first", "max_value": "month_end", "strict_max": True},
    ),
    RowRule(
        "day_is_local",
        "order_date",
        BETWEEN,
        "The day of occurred_at in the firm's time zone.",
        {"min_value": 0, "max_value": 0},
        of="day_gap",
        fail_above=0.05,
    ),
    RowRule("quantity_not_negative", "quantity", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule(
        "quantity_sane",
        "quantity",
        BETWEEN,
        "At most 1,000,000 units on a line.",
        {"max_value": 1_000_000},
        fail_above=0.01,
    ),
    RowRule("gross_not_negative", "gross_amount", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule("discount_not_negative", "discount_amount", BETWEEN, "Zero or more.", {"min_value": 0}),
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
    RowRule(
        "customer_known",
        "customer_id",
        NULL,
        "A key of customers, or null.",
        of="unknown_in_customers",
        fail_above=0.05,
    ),
    RowRule(
        "product_known",
        "product_id",
        NULL,
        "A key of products, or null.",
        of="unknown_in_products",
        fail_above=0.05,
    ),
    MeasureRule(
        "usual_amount",
        "net_amount",
        "amount_ratio",
        "The median sale line over that of the firm's months before.",
        warn_below=1 / 3,
        warn_above=3,
        fail_below=0.1,
        fail_above=10,
    ),
    MeasureRule(
        "volume",
        "",
        "volume_ratio",
        "Rows a day over the median of the firm's months before.",
        warn_below=0.5,
        warn_above=3,
        fail_below=0.1,
        fail_above=10,
    ),
    MeasureRule(
        "nothing_lost",
        "",
        "kept_ratio",
        "Rows over those of the same month when it was last read.",
        warn_below=0.95,
        fail_below=0.5,
    ),
    MeasureRule(
        "freshness",
        "order_date",
        "silence_ratio",
        "Days from the last event to as_of over the firm's longest usual gap.",
        warn_above=1,
        fail_above=3,
    ),
)

"""The gate's rules for leads, beside those of the contract."""

from datetime import date

from include.quality.rules import MeasureRule, RowRule

BETWEEN = "expect_column_values_to_be_between"
KNOWN = {"min_value": date(1990, 1, 1), "max_value": "as_of", "strict_max": True}

SUITE = (
    RowRule(
        "lead_id_usable",
        "lead_id",
        "expect_column_values_to_match_regex",
        "Not empty, no NUL character.",
        {"regex": r"^[^\x00]+$"},
    ),
    RowRule("created_before_as_of", "created_date", BETWEEN, "From 1990 to as_of, which is excluded.", KNOWN),
    RowRule(
        "contacted_before_as_of",
        "first_contact_date",
        BETWEEN,
        "From 1990 to as_of, which is excluded.",
        KNOWN,
    ),
    RowRule(
        "converted_before_as_of", "converted_date", BETWEEN, "From 1990 to as_of, which is excluded.", KNOWN
    ),
    RowRule("marketing_cost_not_negative", "marketing_cost", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule("sales_cost_not_negative", "sales_cost", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule(
        "customer_known",
        "customer_id",
        "expect_column_values_to_be_null",
        "A key of customers, or null.",
        of="unknown_in_customers",
        fail_above=0.05,
    ),
    MeasureRule(
        "volume",
        "",
        "volume_ratio",
        "Rows over the median of the firm's snapshots before.",
        warn_below=0.9,
        warn_above=1.5,
        fail_below=0.1,
        fail_above=10,
    ),
)

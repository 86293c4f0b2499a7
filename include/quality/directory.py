"""The gate's rules for campaigns, channels and programmes, beside those of the contract."""

from datetime import date

from include.quality.rules import RowRule

BETWEEN = "expect_column_values_to_be_between"
DAYS = {"min_value": date(1990, 1, 1), "max_value": date(2100, 12, 31)}

SUITE = (
    RowRule(
        "code_usable",
        "code",
        "expect_column_values_to_match_regex",
        "Not empty, no NUL character.",
        {"regex": r"^[^\x00]+$"},
    ),
    RowRule(
        "kind_known",
        "kind",
        "expect_column_values_to_be_in_set",
        "'campaign', 'channel' or 'programme'.",
        {"value_set": ["campaign", "channel", "programme"]},
    ),
    RowRule("start_plausible", "start_date", BETWEEN, "From 1990 to 2100.", DAYS),
    RowRule("end_plausible", "end_date", BETWEEN, "From 1990 to 2100.", DAYS),
    RowRule("budget_not_negative", "budget_amount", BETWEEN, "Zero or more.", {"min_value": 0}),
    RowRule("cost_not_negative", "cost_per_interaction", BETWEEN, "Zero or more.", {"min_value": 0}),
)

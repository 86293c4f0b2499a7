"""The gate's rules for campaigns, channels and programmes, beside those of the contract."""

from datetime import date

from include.quality.rules import RowRule
from include.quality.shared_rules import BETWEEN, IN_SET, not_negative, usable

DAYS = {"min_value": date(1990, 1, 1), "max_value": date(2100, 12, 31)}

SUITE = (
    usable("code"),
    RowRule(
        "kind_known",
        "kind",
        IN_SET,
        "'campaign', 'channel' or 'programme'.",
        {"value_set": ["campaign", "channel", "programme"]},
    ),
    RowRule("start_plausible", "start_date", BETWEEN, "From 1990 to 2100.", DAYS),
    RowRule("end_plausible", "end_date", BETWEEN, "From 1990 to 2100.", DAYS),
    not_negative("budget", "budget_amount"),
    not_negative("cost", "cost_per_interaction"),
)

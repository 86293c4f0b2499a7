"""The gate's rules for customers, beside those of the contract."""

from include.quality.rules import RowRule
from include.quality.shared_rules import MATCH, SNAPSHOT_VOLUME, before_as_of, usable

SUITE = (
    usable("customer_id"),
    before_as_of("joined", "joined_date", since=1900, fail_above=0.05),
    before_as_of("born", "birth_date", since=1900, warn_above=0.01, fail_above=None),
    RowRule(
        "email_has_an_at",
        "email",
        MATCH,
        "Text on both sides of an @.",
        {"regex": r"^[^@\s]+@[^@\s]+$"},
        warn_above=0.05,
        fail_above=None,
    ),
    SNAPSHOT_VOLUME,
)

"""The gate's rules for leads, beside those of the contract."""

from include.quality.shared_rules import SNAPSHOT_VOLUME, before_as_of, known, not_negative, usable

SUITE = (
    usable("lead_id"),
    before_as_of("created", "created_date", since=1990),
    before_as_of("contacted", "first_contact_date", since=1990),
    before_as_of("converted", "converted_date", since=1990),
    not_negative("marketing_cost", "marketing_cost"),
    not_negative("sales_cost", "sales_cost"),
    known("customer"),
    SNAPSHOT_VOLUME,
)

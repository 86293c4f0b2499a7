"""The gate's rules for products, beside those of the contract."""

from include.quality.shared_rules import SNAPSHOT_VOLUME, not_negative, usable

SUITE = (
    usable("product_id"),
    not_negative("cost", "unit_cost", fail_above=0.05),
    SNAPSHOT_VOLUME,
)

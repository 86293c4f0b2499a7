-- A firm's own bounds and benefits of value tiers.

alter table analytics.dim_firm
add column tier_bounds jsonb,
add column tier_benefits jsonb;

comment on column analytics.dim_firm.tier_bounds is
'Lowest value percentiles of bronze, silver, gold and platinum; null: those of dim_customer_tier.';
comment on column analytics.dim_firm.tier_benefits is
'What the firm gives the customers of each tier, by tier_code.';
comment on column analytics.dim_customer_tier.lowest_percentile is
'Lowest value_percentile of the tier where the firm sets no bounds of its own (dim_firm.tier_bounds).';

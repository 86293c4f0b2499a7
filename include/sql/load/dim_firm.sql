-- dim_firm: copies the firm's current row. Not a load of a dataset: every load runs it first.
-- Params: :firm_key.

insert into analytics.dim_firm (firm_key, firm_name, timezone, currency, tier_bounds, tier_benefits)
select
    firms.firm_key,
    coalesce(firms.name, firms.firm_key) as firm_name,
    firms.timezone,
    firms.currency,
    nullif(firms.ltv -> 'tier_bounds', 'null') as tier_bounds,
    nullif(firms.ltv -> 'tier_benefits', 'null') as tier_benefits
from control.firms
left join analytics.dim_firm on firms.firm_key = dim_firm.firm_key
where
    firms.firm_key = :firm_key
    and dim_firm.firm_sk is null
on conflict (firm_key) do nothing;

update analytics.dim_firm
set
    firm_name = coalesce(firms.name, firms.firm_key),
    timezone = firms.timezone,
    currency = firms.currency,
    tier_bounds = nullif(firms.ltv -> 'tier_bounds', 'null'),
    tier_benefits = nullif(firms.ltv -> 'tier_benefits', 'null')
from control.firms
where
    dim_firm.firm_key = :firm_key
    and firms.firm_key = dim_firm.firm_key
    and (
        dim_firm.firm_name, dim_firm.timezone, dim_firm.currency, dim_firm.tier_bounds, dim_firm.tier_benefits
    )
    is distinct from (
        coalesce(firms.name, firms.firm_key),
        firms.timezone,
        firms.currency,
        nullif(firms.ltv -> 'tier_bounds', 'null'),
        nullif(firms.ltv -> 'tier_benefits', 'null')
    );

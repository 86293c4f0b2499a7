-- dim_firm: copies the firm's current row. Not a load of a dataset: every load runs it first.
-- Params: :firm_key.

insert into analytics.dim_firm (firm_key, firm_name, timezone, currency)
select
    firms.firm_key,
    coalesce(firms.name, firms.firm_key) as firm_name,
    firms.timezone,
    firms.currency
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
    currency = firms.currency
from control.firms
where
    dim_firm.firm_key = :firm_key
    and firms.firm_key = dim_firm.firm_key
    and (dim_firm.firm_name, dim_firm.timezone, dim_firm.currency)
    is distinct from (coalesce(firms.name, firms.firm_key), firms.timezone, firms.currency);

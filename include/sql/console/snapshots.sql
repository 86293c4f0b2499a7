-- snapshots: the days of which a firm has scores, latest first.
-- Grain: as_of. Params: :firm_key.

select distinct dim_snapshot.as_of
from analytics.dim_snapshot
inner join analytics.dim_firm on dim_snapshot.firm_sk = dim_firm.firm_sk
where
    dim_firm.firm_key = :firm_key
    and dim_snapshot.fact_name in ('fact_customer_rfm', 'fact_customer_ltv', 'fact_customer_churn_risk')
order by dim_snapshot.as_of desc;

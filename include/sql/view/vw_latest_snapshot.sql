-- vw_latest_snapshot: the latest snapshot of each fact of a firm.
-- Grain: firm_key, fact_name.

create or replace view mart.vw_latest_snapshot
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_sk,
    dim_firm.firm_key,
    dim_snapshot.fact_name,
    max(dim_snapshot.as_of) as as_of
from analytics.dim_snapshot
inner join analytics.dim_firm on dim_snapshot.firm_sk = dim_firm.firm_sk
group by
    dim_firm.firm_sk,
    dim_firm.firm_key,
    dim_snapshot.fact_name;

comment on view mart.vw_latest_snapshot is 'One row per firm and fact: its latest snapshot.';
comment on column mart.vw_latest_snapshot.fact_name is 'Fact table of the snapshot.';

-- vw_firm_metric: the firm's metrics, with the value of the previous snapshot.
-- Grain: firm_key, metric, member. The function takes any as_of, the view each firm's latest.

create or replace function mart.firm_metric(firm text, as_of date)
returns table (
    metric text,
    member text,
    unit text,
    metric_value numeric,
    numerator numeric,
    denominator numeric,
    previous_as_of date,
    previous_value numeric,
    value_change numeric,
    definition text
)
language sql
stable
as $$
with snapshots as (

    select
        dim_snapshot.firm_sk,
        max(dim_snapshot.as_of) as previous_as_of
    from analytics.dim_firm
    inner join analytics.dim_snapshot on dim_firm.firm_sk = dim_snapshot.firm_sk
    where
        dim_firm.firm_key = firm_metric.firm
        and dim_snapshot.fact_name = 'fact_firm_metric'
        and dim_snapshot.as_of < firm_metric.as_of
    group by dim_snapshot.firm_sk

)

select
    present.metric,
    present.member,
    present.unit,
    present.metric_value,
    present.numerator,
    present.denominator,
    snapshots.previous_as_of,
    earlier.metric_value as previous_value,
    present.metric_value - earlier.metric_value as value_change,
    present.definition
from analytics.dim_firm
inner join analytics.fact_firm_metric as present on dim_firm.firm_sk = present.firm_sk
left join snapshots on present.firm_sk = snapshots.firm_sk
left join analytics.fact_firm_metric as earlier
    on
        present.firm_sk = earlier.firm_sk
        and snapshots.previous_as_of = earlier.as_of
        and present.metric = earlier.metric
        and present.member = earlier.member
where
    dim_firm.firm_key = firm_metric.firm
    and present.as_of = firm_metric.as_of
$$;

create or replace view mart.vw_firm_metric
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    known.*
from mart.vw_latest_snapshot
cross join lateral mart.firm_metric(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as known
where vw_latest_snapshot.fact_name = 'fact_firm_metric';

comment on function mart.firm_metric is 'vw_firm_metric of one firm at any as_of.';
comment on view mart.vw_firm_metric is
'One row per firm, metric and member at the firm''s latest snapshot, with the previous value.';
comment on column mart.vw_firm_metric.previous_as_of is
'The firm''s previous snapshot; null if there is none.';
comment on column mart.vw_firm_metric.previous_value is
'Value in the previous snapshot; null if it had none.';
comment on column mart.vw_firm_metric.value_change is
'Value less previous value, in the metric''s unit: percentage points for a share.';

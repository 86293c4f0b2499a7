-- fact_firm_metric: replaces one snapshot of a firm. What compares with an earlier one is left to the view,
-- so that snapshots may be loaded in any order.
-- Grain: metric, member, as_of. Params: :firm_sk, :as_of, :manifest_token.

delete from analytics.fact_firm_metric
where
    fact_firm_metric.firm_sk = :firm_sk
    and fact_firm_metric.as_of = :as_of;

insert into analytics.fact_firm_metric (
    firm_sk,
    as_of,
    date_sk,
    metric,
    member,
    unit,
    numerator,
    denominator,
    metric_value,
    definition,
    manifest_token
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    stg_firm_metrics.metric,
    stg_firm_metrics.member,
    stg_firm_metrics.unit,
    stg_firm_metrics.numerator,
    stg_firm_metrics.denominator,
    stg_firm_metrics.metric_value,
    stg_firm_metrics.definition,
    :manifest_token as manifest_token
from pg_temp.stg_firm_metrics
inner join analytics.dim_date on dim_date.date_actual = :as_of;

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
    manifest_token
    /*, every column of firm_metrics */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    :manifest_token as manifest_token
    /*, the same columns of stg_firm_metrics */
from pg_temp.stg_firm_metrics
inner join analytics.dim_date on dim_date.date_actual = :as_of;

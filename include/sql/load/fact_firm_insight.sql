-- fact_firm_insight: replaces one snapshot of a firm.
-- Grain: language_code, place, as_of. Params: :firm_sk, :as_of, :manifest_token.

delete from analytics.fact_firm_insight
where
    fact_firm_insight.firm_sk = :firm_sk
    and fact_firm_insight.as_of = :as_of;

insert into analytics.fact_firm_insight (
    firm_sk,
    as_of,
    date_sk,
    cited_metrics,
    manifest_token
    /*, every column of firm_insight but cited_metrics */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    cast(stg_firm_insight.cited_metrics as jsonb) as cited_metrics,
    :manifest_token as manifest_token
    /*, the same columns of stg_firm_insight */
from pg_temp.stg_firm_insight
inner join analytics.dim_date on dim_date.date_actual = :as_of;

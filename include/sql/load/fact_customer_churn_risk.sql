-- fact_customer_churn_risk: replaces one snapshot of a firm.
-- Grain: customer_sk, as_of. Params: :firm_key, :firm_sk, :as_of, :manifest_token.

select analytics.add_customers(
    :firm_sk,
    array(select stg_churn_risk.customer_id from pg_temp.stg_churn_risk)
) as added;

delete from analytics.fact_customer_churn_risk
where
    fact_customer_churn_risk.firm_sk = :firm_sk
    and fact_customer_churn_risk.as_of = :as_of;

insert into analytics.fact_customer_churn_risk (
    firm_sk,
    as_of,
    date_sk,
    customer_sk,
    horizon_days,
    manifest_token
    /*, every column of churn_risk but customer_id */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    models.horizon_days,
    :manifest_token as manifest_token
    /*, the same columns of stg_churn_risk */
from pg_temp.stg_churn_risk
inner join analytics.dim_date on dim_date.date_actual = :as_of
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_churn_risk.customer_id = dim_customer.customer_id
inner join control.models
    on
        models.firm_key = :firm_key
        and models.module = 'churn'
        and stg_churn_risk.model_version = models.model_version;

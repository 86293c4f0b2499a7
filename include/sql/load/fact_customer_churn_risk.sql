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
    days_since_last_order,
    orders_last_30_days,
    orders_last_90_days,
    spend_last_30_days,
    spend_last_90_days,
    order_frequency_trend,
    spend_trend,
    avg_order_interval_change_pct,
    returns_count_90_days,
    churn_probability,
    churn_risk_score,
    churn_risk_category,
    churn_risk_band,
    predicted_churn_date,
    days_until_predicted_churn,
    top_churn_factor_1,
    top_churn_factor_2,
    top_churn_factor_3,
    top_churn_factor_1_text,
    top_churn_factor_2_text,
    top_churn_factor_3_text,
    intervention_priority,
    recommended_action,
    recommended_action_text,
    method,
    model_version,
    horizon_days,
    manifest_token
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    stg_churn_risk.days_since_last_order,
    stg_churn_risk.orders_last_30_days,
    stg_churn_risk.orders_last_90_days,
    stg_churn_risk.spend_last_30_days,
    stg_churn_risk.spend_last_90_days,
    stg_churn_risk.order_frequency_trend,
    stg_churn_risk.spend_trend,
    stg_churn_risk.avg_order_interval_change_pct,
    stg_churn_risk.returns_count_90_days,
    stg_churn_risk.churn_probability,
    stg_churn_risk.churn_risk_score,
    stg_churn_risk.churn_risk_category,
    stg_churn_risk.churn_risk_band,
    stg_churn_risk.predicted_churn_date,
    stg_churn_risk.days_until_predicted_churn,
    stg_churn_risk.top_churn_factor_1,
    stg_churn_risk.top_churn_factor_2,
    stg_churn_risk.top_churn_factor_3,
    stg_churn_risk.top_churn_factor_1_text,
    stg_churn_risk.top_churn_factor_2_text,
    stg_churn_risk.top_churn_factor_3_text,
    stg_churn_risk.intervention_priority,
    stg_churn_risk.recommended_action,
    stg_churn_risk.recommended_action_text,
    stg_churn_risk.method,
    stg_churn_risk.model_version,
    models.horizon_days,
    :manifest_token as manifest_token
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

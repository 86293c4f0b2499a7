-- vw_analytic_customer: one combined row per customer from all active modules; no contact data.
-- Grain: firm_key, customer_id. The function takes any as_of, the view each firm's latest. It begins with
-- dim_customer, so that one customer is found by index, and each fact is read once for all of them.

create or replace function mart.analytic_customer(firm text, as_of date)
returns table (
    customer_sk bigint,
    customer_id text,
    currency text,
    last_order_date date,
    days_since_last_order integer,
    order_count bigint,
    total_spend numeric,
    total_spend_365_days numeric,
    activity_status text,
    rfm_score text,
    rfm_segment text,
    clv_value numeric,
    predicted_clv_1_year numeric,
    historical_clv numeric,
    clv_segment text,
    value_tier text,
    value_percentile double precision,
    lifecycle_stage text,
    clv_model_version text,
    churn_probability double precision,
    churn_risk_score integer,
    churn_risk_category text,
    churn_risk_band text,
    top_churn_factor text,
    recommended_action text,
    churn_model_version text,
    predicted_clv_lifetime numeric,
    may_contact boolean
)
language sql
stable
as $$
select
    dim_customer.customer_sk,
    dim_customer.customer_id,
    dim_firm.currency,
    fact_customer_rfm.last_order_date,
    coalesce(
        fact_customer_rfm.days_since_last_order, fact_customer_churn_risk.days_since_last_order
    ) as days_since_last_order,
    coalesce(fact_customer_rfm.order_count, fact_customer_ltv.total_historical_orders) as order_count,
    coalesce(fact_customer_rfm.total_spend, fact_customer_ltv.total_historical_revenue) as total_spend,
    fact_customer_rfm.total_spend_365_days,
    fact_customer_rfm.activity_status,
    fact_customer_rfm.rfm_score,
    dim_customer_segment.segment_name as rfm_segment,
    fact_customer_ltv.predicted_clv_lifetime as clv_value,
    fact_customer_ltv.predicted_clv_1_year,
    fact_customer_ltv.historical_clv,
    fact_customer_ltv.clv_segment,
    dim_customer_tier.tier_name as value_tier,
    fact_customer_ltv.value_percentile,
    fact_customer_ltv.lifecycle_stage,
    fact_customer_ltv.model_version as clv_model_version,
    fact_customer_churn_risk.churn_probability,
    fact_customer_churn_risk.churn_risk_score,
    fact_customer_churn_risk.churn_risk_category,
    fact_customer_churn_risk.churn_risk_band,
    fact_customer_churn_risk.top_churn_factor_1 as top_churn_factor,
    fact_customer_churn_risk.recommended_action,
    fact_customer_churn_risk.model_version as churn_model_version,
    fact_customer_ltv.predicted_clv_lifetime,
    dim_customer.may_contact
from analytics.dim_firm
inner join analytics.dim_customer on dim_firm.firm_sk = dim_customer.firm_sk
left join analytics.fact_customer_rfm
    on
        dim_customer.firm_sk = fact_customer_rfm.firm_sk
        and dim_customer.customer_sk = fact_customer_rfm.customer_sk
        and fact_customer_rfm.as_of = analytic_customer.as_of
left join analytics.dim_customer_segment
    on fact_customer_rfm.rfm_segment_sk = dim_customer_segment.segment_sk
left join analytics.fact_customer_ltv
    on
        dim_customer.firm_sk = fact_customer_ltv.firm_sk
        and dim_customer.customer_sk = fact_customer_ltv.customer_sk
        and fact_customer_ltv.as_of = analytic_customer.as_of
left join analytics.dim_customer_tier on fact_customer_ltv.tier_sk = dim_customer_tier.tier_sk
left join analytics.fact_customer_churn_risk
    on
        dim_customer.firm_sk = fact_customer_churn_risk.firm_sk
        and dim_customer.customer_sk = fact_customer_churn_risk.customer_sk
        and fact_customer_churn_risk.as_of = analytic_customer.as_of
where
    dim_firm.firm_key = analytic_customer.firm
    and (
        fact_customer_rfm.customer_sk is not null
        or fact_customer_ltv.customer_sk is not null
        or fact_customer_churn_risk.customer_sk is not null
    )
$$;

create or replace view mart.vw_analytic_customer
with (security_invoker = true, security_barrier = true)
as
with latest as (

    select
        vw_latest_snapshot.firm_key,
        max(vw_latest_snapshot.as_of) as as_of
    from mart.vw_latest_snapshot
    where
        vw_latest_snapshot.fact_name in (
            'fact_customer_rfm', 'fact_customer_ltv', 'fact_customer_churn_risk'
        )
    group by vw_latest_snapshot.firm_key

)

select
    latest.firm_key,
    latest.as_of,
    golden.customer_id,
    golden.currency,
    golden.last_order_date,
    golden.days_since_last_order,
    golden.order_count,
    golden.total_spend,
    golden.total_spend_365_days,
    golden.activity_status,
    golden.rfm_score,
    golden.rfm_segment,
    golden.clv_value,
    golden.predicted_clv_1_year,
    golden.historical_clv,
    golden.clv_segment,
    golden.value_tier,
    golden.value_percentile,
    golden.lifecycle_stage,
    golden.clv_model_version,
    golden.churn_probability,
    golden.churn_risk_score,
    golden.churn_risk_category,
    golden.churn_risk_band,
    golden.top_churn_factor,
    golden.recommended_action,
    golden.churn_model_version,
    golden.predicted_clv_lifetime,
    golden.may_contact
from latest
cross join lateral mart.analytic_customer(latest.firm_key, latest.as_of) as golden;

comment on function mart.analytic_customer is
'vw_analytic_customer of one firm at any as_of, with customer_sk: the rows that are published.';
comment on view mart.vw_analytic_customer is
'One row per firm and customer at the firm''s latest snapshot: score, segment, value and risk.';
comment on column mart.vw_analytic_customer.rfm_segment is 'Name of the RFM segment.';
comment on column mart.vw_analytic_customer.clv_value is
'Expected discounted margin from as_of on (predicted_clv_lifetime); null if value was not computed.';
comment on column mart.vw_analytic_customer.predicted_clv_lifetime is
'The same under the name of the glossary.';
comment on column mart.vw_analytic_customer.may_contact is
'Whether the customer may be sent offers; null: unknown.';
comment on column mart.vw_analytic_customer.value_tier is 'Name of the value tier.';
comment on column mart.vw_analytic_customer.clv_model_version is 'Version of the value model.';
comment on column mart.vw_analytic_customer.churn_model_version is 'Version of the churn model.';
comment on column mart.vw_analytic_customer.top_churn_factor is
'Factor with the largest contribution to the risk; null if none raises it.';

-- vw_at_risk_customers: customers of high and critical churn risk, most urgent first; no contact data.
-- Grain: firm_key, customer_id. The function takes any as_of, the view each firm's latest.

create or replace function mart.at_risk_customers(firm text, as_of date)
returns table (
    customer_id text,
    rfm_segment text,
    value_tier text,
    churn_risk_category text,
    churn_risk_score integer,
    churn_probability double precision,
    days_since_last_order integer,
    orders_last_30_days bigint,
    orders_last_90_days bigint,
    spend_last_90_days numeric,
    value_at_risk numeric,
    historical_clv numeric,
    total_spend_365_days numeric,
    total_spend numeric,
    order_frequency_trend text,
    spend_trend text,
    predicted_churn_date date,
    top_churn_factor_1 text,
    top_churn_factor_2 text,
    top_churn_factor_3 text,
    top_churn_factor_1_text text,
    top_churn_factor_2_text text,
    top_churn_factor_3_text text,
    recommended_action text,
    recommended_action_text text,
    intervention_priority smallint,
    model_version text,
    predicted_clv_lifetime numeric,
    margin_at_risk numeric,
    may_contact boolean
)
language sql
stable
as $$
select
    dim_customer.customer_id,
    dim_customer_segment.segment_name as rfm_segment,
    dim_customer_tier.tier_name as value_tier,
    fact_customer_churn_risk.churn_risk_category,
    fact_customer_churn_risk.churn_risk_score,
    fact_customer_churn_risk.churn_probability,
    fact_customer_churn_risk.days_since_last_order,
    fact_customer_churn_risk.orders_last_30_days,
    fact_customer_churn_risk.orders_last_90_days,
    fact_customer_churn_risk.spend_last_90_days,
    fact_customer_ltv.predicted_clv_lifetime as value_at_risk,
    fact_customer_ltv.historical_clv,
    fact_customer_rfm.total_spend_365_days,
    fact_customer_rfm.total_spend,
    fact_customer_churn_risk.order_frequency_trend,
    fact_customer_churn_risk.spend_trend,
    fact_customer_churn_risk.predicted_churn_date,
    fact_customer_churn_risk.top_churn_factor_1,
    fact_customer_churn_risk.top_churn_factor_2,
    fact_customer_churn_risk.top_churn_factor_3,
    fact_customer_churn_risk.top_churn_factor_1_text,
    fact_customer_churn_risk.top_churn_factor_2_text,
    fact_customer_churn_risk.top_churn_factor_3_text,
    case when dim_customer.may_contact is not false then fact_customer_churn_risk.recommended_action end
        as recommended_action,
    case when dim_customer.may_contact is not false then fact_customer_churn_risk.recommended_action_text end
        as recommended_action_text,
    fact_customer_churn_risk.intervention_priority,
    fact_customer_churn_risk.model_version,
    fact_customer_ltv.predicted_clv_lifetime,
    round(
        cast(
            fact_customer_churn_risk.churn_probability
            * cast(fact_customer_ltv.predicted_clv_1_year as double precision) as numeric
        ),
        2
    ) as margin_at_risk,
    dim_customer.may_contact
from analytics.dim_firm
inner join analytics.fact_customer_churn_risk on dim_firm.firm_sk = fact_customer_churn_risk.firm_sk
inner join analytics.dim_customer on fact_customer_churn_risk.customer_sk = dim_customer.customer_sk
left join analytics.fact_customer_rfm
    on
        fact_customer_churn_risk.firm_sk = fact_customer_rfm.firm_sk
        and fact_customer_churn_risk.as_of = fact_customer_rfm.as_of
        and fact_customer_churn_risk.customer_sk = fact_customer_rfm.customer_sk
left join analytics.fact_customer_ltv
    on
        fact_customer_churn_risk.firm_sk = fact_customer_ltv.firm_sk
        and fact_customer_churn_risk.as_of = fact_customer_ltv.as_of
        and fact_customer_churn_risk.customer_sk = fact_customer_ltv.customer_sk
left join analytics.dim_customer_tier on fact_customer_ltv.tier_sk = dim_customer_tier.tier_sk
left join analytics.dim_customer_segment
    on fact_customer_rfm.rfm_segment_sk = dim_customer_segment.segment_sk
where
    dim_firm.firm_key = at_risk_customers.firm
    and fact_customer_churn_risk.as_of = at_risk_customers.as_of
    and fact_customer_churn_risk.churn_risk_category in ('High', 'Critical')
order by
    fact_customer_churn_risk.intervention_priority asc,
    fact_customer_ltv.predicted_clv_lifetime desc nulls last,
    fact_customer_rfm.total_spend_365_days desc nulls last,
    dim_customer.customer_id asc
$$;

create or replace view mart.vw_at_risk_customers
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    at_risk.*
from mart.vw_latest_snapshot
cross join lateral mart.at_risk_customers(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as at_risk
where vw_latest_snapshot.fact_name = 'fact_customer_churn_risk';

comment on function mart.at_risk_customers is 'vw_at_risk_customers of one firm at any as_of.';
comment on view mart.vw_at_risk_customers is
'One row per customer of high or critical churn risk at the firm''s latest snapshot, without contact data.';
comment on column mart.vw_at_risk_customers.rfm_segment is
'Name of the RFM segment; null if module rfm is off.';
comment on column mart.vw_at_risk_customers.value_tier is
'Name of the value tier; null if module ltv is off.';
comment on column mart.vw_at_risk_customers.value_at_risk is
'Old name of predicted_clv_lifetime, kept until version 0.11: it is the whole value, not the part at risk.';
comment on column mart.vw_at_risk_customers.predicted_clv_lifetime is
'Predicted lifetime value; null without a value model.';
comment on column mart.vw_at_risk_customers.margin_at_risk is
'Churn probability times expected margin of the next year; null if rules scored.';
comment on column mart.vw_at_risk_customers.recommended_action is
'Fixed text of the risk category; null where the customer may not be contacted.';
comment on column mart.vw_at_risk_customers.recommended_action_text is 'The same in words.';
comment on column mart.vw_at_risk_customers.may_contact is
'Whether the customer may be sent offers; null: unknown.';

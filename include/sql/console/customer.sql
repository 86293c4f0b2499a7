-- customer: everything that is known of one customer, without contact details.
-- Grain: one row. Params: :firm_key, :as_of, :customer_id.

select
    shown.customer_id,
    shown.country,
    shown.gender,
    shown.age_band,
    shown.joined_date,
    shown.acquisition_channel,
    shown.currency,
    shown.activity_status,
    shown.last_order_date,
    shown.days_since_last_order,
    shown.order_count,
    shown.total_spend,
    shown.total_spend_365_days,
    shown.rfm_score,
    shown.rfm_segment,
    shown.clv_value,
    shown.historical_clv,
    shown.clv_segment,
    shown.value_tier,
    shown.lifecycle_stage,
    shown.churn_probability,
    shown.churn_risk_category,
    shown.top_churn_factor,
    shown.first_order_date,
    shown.return_count,
    shown.returned_amount,
    shown.favourite_category,
    shown.favourite_channel,
    shown.last_activity_date,
    shown.active_days_90_days,
    shown.engagement_trend,
    shown.complaint_count_365_days,
    shown.last_nps_score,
    shown.points_balance,
    shown.action_code,
    shown.action_explanation,
    shown.is_chosen,
    fact_customer_ltv.predicted_clv_1_year,
    fact_customer_ltv.predicted_clv_1_year_low,
    fact_customer_ltv.predicted_clv_1_year_high,
    fact_customer_churn_risk.predicted_churn_date,
    fact_customer_churn_risk.top_churn_factor_1_text,
    fact_customer_churn_risk.top_churn_factor_2_text,
    fact_customer_churn_risk.top_churn_factor_3_text,
    fact_customer_churn_risk.recommended_action_text,
    fact_customer_churn_risk.model_version as churn_model_version,
    fact_customer_ltv.model_version as clv_model_version,
    case
        when fact_customer_churn_risk.any_order_probability is not null
            then fact_customer_churn_risk.next_order_date_50_pct
        when fact_customer_ltv.expected_next_order_date >= fact_customer_ltv.as_of
            then fact_customer_ltv.expected_next_order_date
    end as expected_next_order_date
from mart.customer_360(:firm_key, :as_of) as shown
inner join analytics.dim_firm on dim_firm.firm_key = :firm_key
inner join analytics.dim_customer
    on
        dim_firm.firm_sk = dim_customer.firm_sk
        and shown.customer_id = dim_customer.customer_id
left join analytics.fact_customer_ltv
    on
        dim_customer.firm_sk = fact_customer_ltv.firm_sk
        and dim_customer.customer_sk = fact_customer_ltv.customer_sk
        and fact_customer_ltv.as_of = :as_of
left join analytics.fact_customer_churn_risk
    on
        dim_customer.firm_sk = fact_customer_churn_risk.firm_sk
        and dim_customer.customer_sk = fact_customer_churn_risk.customer_sk
        and fact_customer_churn_risk.as_of = :as_of
where shown.customer_id = :customer_id;

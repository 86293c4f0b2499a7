-- at_risk: one page of the customers at high and critical risk, most urgent first (keyset paging).
-- Grain: customer_id. Params: :firm_key, :as_of; :after_place (null for the first page); :page_rows.

with placed as (

    select
        shown.customer_id,
        shown.rfm_segment,
        shown.value_tier,
        shown.churn_risk_category,
        shown.churn_risk_score,
        shown.churn_probability,
        shown.days_since_last_order,
        shown.orders_last_30_days,
        shown.orders_last_90_days,
        shown.spend_last_90_days,
        shown.predicted_clv_lifetime,
        shown.margin_at_risk,
        shown.may_contact,
        shown.historical_clv,
        shown.total_spend_365_days,
        shown.total_spend,
        shown.order_frequency_trend,
        shown.spend_trend,
        shown.predicted_churn_date,
        shown.top_churn_factor_1,
        shown.top_churn_factor_2,
        shown.top_churn_factor_3,
        shown.top_churn_factor_1_text,
        shown.top_churn_factor_2_text,
        shown.top_churn_factor_3_text,
        shown.recommended_action,
        shown.recommended_action_text,
        shown.intervention_priority,
        shown.model_version,
        row_number() over (
            order by
                shown.intervention_priority asc,
                shown.predicted_clv_lifetime desc nulls last,
                shown.total_spend_365_days desc nulls last,
                shown.customer_id asc
        ) as place
    from mart.at_risk_customers(:firm_key, :as_of) as shown

)

select
    placed.customer_id,
    placed.rfm_segment,
    placed.value_tier,
    placed.churn_risk_category,
    placed.churn_risk_score,
    placed.churn_probability,
    placed.days_since_last_order,
    placed.orders_last_30_days,
    placed.orders_last_90_days,
    placed.spend_last_90_days,
    placed.predicted_clv_lifetime,
    placed.margin_at_risk,
    placed.may_contact,
    placed.historical_clv,
    placed.total_spend_365_days,
    placed.total_spend,
    placed.order_frequency_trend,
    placed.spend_trend,
    placed.predicted_churn_date,
    placed.top_churn_factor_1,
    placed.top_churn_factor_2,
    placed.top_churn_factor_3,
    placed.top_churn_factor_1_text,
    placed.top_churn_factor_2_text,
    placed.top_churn_factor_3_text,
    placed.recommended_action,
    placed.recommended_action_text,
    placed.intervention_priority,
    placed.model_version,
    placed.place
from placed
where placed.place > coalesce(cast(:after_place as bigint), 0)
order by placed.place
limit :page_rows;

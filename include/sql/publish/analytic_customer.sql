-- analytic_customer: one combined row per customer, for the firm's own database.
-- Grain: unique_customer_id. Params: :firm_key, :as_of, :run_id.

select
    :firm_key as firm_id,
    golden.customer_id as unique_customer_id,
    golden.rfm_score,
    golden.rfm_segment,
    golden.activity_status,
    golden.last_order_date,
    golden.days_since_last_order,
    golden.order_count,
    golden.total_spend,
    golden.currency as currency_code,
    golden.clv_value,
    golden.predicted_clv_1_year as clv_1_year,
    golden.historical_clv,
    golden.clv_segment,
    golden.value_tier,
    golden.churn_probability,
    golden.churn_risk_score,
    golden.churn_risk_category,
    golden.churn_risk_band,
    golden.top_churn_factor,
    golden.recommended_action,
    golden.clv_model_version as clv_model_id,
    golden.churn_model_version as churn_model_id,
    :run_id as run_id,
    cast(:as_of as date) as run_date
from mart.analytic_customer(:firm_key, :as_of) as golden

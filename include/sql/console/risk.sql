-- risk: customers and money at stake by risk category.
-- Grain: churn_risk_category. Params: :firm_key, :as_of.

select
    shown.churn_risk_category,
    shown.customer_count,
    shown.pct_of_customers,
    shown.avg_churn_probability,
    shown.expected_churners,
    shown.category_spend_365_days,
    shown.category_spend_at_risk,
    shown.category_clv_lifetime,
    shown.category_margin_at_risk,
    shown.avg_days_inactive,
    shown.avg_orders_90d,
    shown.avg_spend_90d,
    shown.declining_frequency,
    shown.declining_spend,
    shown.method,
    shown.model_version
from mart.churn_risk_overview(:firm_key, :as_of) as shown
order by
    shown.avg_churn_probability desc nulls last,
    shown.churn_risk_category asc;

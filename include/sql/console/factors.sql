-- factors: reasons of churn risk, by the number of customers.
-- Grain: factor. Params: :firm_key, :as_of.

select
    shown.factor,
    shown.factor_text,
    shown.customer_count,
    shown.pct_of_customers,
    shown.first_factor_count,
    shown.at_risk_count,
    shown.avg_risk_score_when_present,
    shown.total_clv_affected,
    shown.revenue_365_affected
from mart.churn_factor_analysis(:firm_key, :as_of) as shown
order by
    shown.at_risk_count desc,
    shown.factor asc;

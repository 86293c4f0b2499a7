-- tiers: customers and value by value tier.
-- Grain: tier_code. Params: :firm_key, :as_of.

select
    shown.tier_code,
    shown.tier_name,
    shown.tier_level,
    shown.lowest_percentile,
    shown.tier_benefit,
    shown.customer_count,
    shown.pct_of_customers,
    shown.total_historical_value,
    shown.total_predicted_1_year,
    shown.total_predicted_value,
    shown.avg_historical_clv,
    shown.avg_predicted_clv,
    shown.avg_tenure_months,
    shown.pct_of_total_value,
    shown.pct_of_predicted_value
from mart.clv_tier_summary(:firm_key, :as_of) as shown
order by
    shown.tier_level desc,
    shown.tier_code asc;

-- page_value: totals of the predicted value of the next 365 days, and the parts of their intervals.
-- Grain: one row. Without churn_risk the columns of value at risk are null.

select
    count(ltv.expected_spend_1_year) as value_customers,
    sum(ltv.expected_spend_1_year) as expected_spend_1_year,
    sum(ltv.predicted_clv_1_year) as value_1_year,
    sum(ltv.expected_spend_horizon) as expected_spend_horizon,
    max(ltv.spend_horizon_days) as horizon_days,
    sum(ltv.spend_deviation_1_year * ltv.spend_deviation_1_year) as spend_variance_1_year,
    max(ltv.total_doubt_1_year) as parameter_error_1_year,
    max(ltv.total_reach) as interval_z,
    max(ltv.margin_source) as margin_source,
    max(ltv.method) as value_method,
    sum(
        case
            when
                ltv.predicted_clv_1_year < ltv.predicted_clv_1_year_low
                or ltv.predicted_clv_1_year > ltv.predicted_clv_1_year_high
                then 1
            else 0
        end
    ) as mean_outside_customers,
    sum(cast(churn_risk.churn_probability * ltv.predicted_clv_1_year as decimal(18, 4))) as margin_at_risk,
    sum(
        churn_risk.churn_probability * churn_risk.churn_probability
        * ltv.spend_deviation_1_year * ltv.spend_deviation_1_year
    ) as spend_variance_at_risk
from ltv
left join churn_risk on ltv.customer_id = churn_risk.customer_id

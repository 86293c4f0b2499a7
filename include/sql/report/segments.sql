-- segments: customers by RFM segment at as_of, their spend, and the models' predictions.
-- Grain: segment_code. A model that did not run leaves its columns null.

select
    rfm.segment_code,
    count(*) as customers,
    sum(rfm.total_spend) as total_spend,
    avg(rfm.days_since_last_order) as avg_days_since_last_order,
    avg(rfm.order_count) as avg_order_count,
    avg(churn_risk.churn_probability) as avg_churn_probability,
    avg(churn_risk.churn_risk_score) as avg_churn_risk_score,
    sum(ltv.predicted_clv_1_year) as predicted_clv_1_year
from rfm
left join churn_risk on rfm.customer_id = churn_risk.customer_id
left join ltv on rfm.customer_id = ltv.customer_id
group by rfm.segment_code
order by
    customers desc,
    rfm.segment_code asc

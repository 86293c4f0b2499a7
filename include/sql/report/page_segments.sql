-- page_segments: size, money and predictions of each segment. A model that did not run leaves nulls.
-- Grain: segment_code. No params: its inputs have one as_of.

select
    rfm.segment_code,
    count(*) as customers,
    sum(rfm.total_spend) as net_sales,
    median(rfm.days_since_last_order) as median_silent_days,
    median(rfm.order_count) as median_orders,
    sum(ltv.predicted_clv_1_year) as value_1_year,
    sum(cast(churn_risk.churn_probability * ltv.predicted_clv_1_year as decimal(18, 4))) as margin_at_risk
from rfm
left join churn_risk on rfm.customer_id = churn_risk.customer_id
left join ltv on rfm.customer_id = ltv.customer_id
group by rfm.segment_code
order by
    net_sales desc,
    rfm.segment_code asc

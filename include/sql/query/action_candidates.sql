-- action_candidates: one row per customer with a segment, a churn risk and a positive value.
-- Grain: customer_id. No params: its inputs have one as_of. Without all three modules it is empty.

with averages as (

    select
        sum(cast(avg_order_value as double) * order_count)
        / nullif(sum(case when avg_order_value is not null then order_count end), 0) as firm_avg_order_value
    from rfm

)

select
    rfm.customer_id,
    rfm.segment_code,
    churn_risk.churn_risk_category,
    ltv.predicted_clv_1_year as value_at_stake,
    rfm.order_count,
    averages.firm_avg_order_value
from rfm
inner join churn_risk on rfm.customer_id = churn_risk.customer_id
inner join ltv on rfm.customer_id = ltv.customer_id
cross join averages
where ltv.predicted_clv_1_year > 0
order by rfm.customer_id

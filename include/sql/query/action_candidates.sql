-- action_candidates: one row per customer with a segment, a churn risk and a value of more than nothing.
-- Grain: customer_id. No params: what it reads is of one as_of. A module that is off leaves nobody.

select
    rfm.customer_id,
    rfm.segment_code,
    churn_risk.churn_risk_category,
    ltv.predicted_clv_1_year as value_at_stake
from rfm
inner join churn_risk on rfm.customer_id = churn_risk.customer_id
inner join ltv on rfm.customer_id = ltv.customer_id
where ltv.predicted_clv_1_year > 0
order by rfm.customer_id

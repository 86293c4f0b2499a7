-- customer_count: how many customers a filter of customer_list has, and what they spent and are worth.
-- Grain: one row. Params: as customer_list, without sort and page.

select
    count(*) as customers,
    sum(known.total_spend_365_days) as total_spend_365_days,
    sum(known.predicted_clv_lifetime) as predicted_clv_lifetime
from mart.analytic_customer(:firm_key, :as_of) as known
where
    (cast(:search as text) is null or strpos(lower(known.customer_id), lower(:search)) > 0)
    and (cast(:segment as text) is null or known.rfm_segment = :segment)
    and (cast(:tier as text) is null or known.value_tier = :tier)
    and (cast(:risk as text) is null or known.churn_risk_category = :risk)
    and (cast(:activity as text) is null or known.activity_status = :activity)
    and (cast(:recency as text) is null or left(known.rfm_score, 1) = :recency)
    and (cast(:frequency as text) is null or substr(known.rfm_score, 2, 1) = :frequency);

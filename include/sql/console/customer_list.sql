-- customer_list: one page of customers, by a sort key and then by id (keyset paging).
-- Grain: customer_id. Params: :firm_key, :as_of; :search, :segment, :tier, :risk, :activity, :recency,
-- :frequency (each may be null); :sort, :direction (1 descending, -1 ascending); :after_key, :after_id (null
-- for the first page); :page_rows.

with found as (

    select
        known.customer_id,
        known.currency,
        known.rfm_segment,
        known.rfm_score,
        known.value_tier,
        known.activity_status,
        known.last_order_date,
        known.days_since_last_order,
        known.order_count,
        known.total_spend,
        known.total_spend_365_days,
        known.predicted_clv_lifetime,
        known.predicted_clv_1_year,
        known.churn_probability,
        known.churn_risk_category,
        known.top_churn_factor,
        known.recommended_action,
        coalesce(
            :direction * cast(
                case :sort
                    when 'total_spend_365_days' then known.total_spend_365_days
                    when 'total_spend' then known.total_spend
                    when 'predicted_clv_lifetime' then known.predicted_clv_lifetime
                    when 'churn_probability' then known.churn_probability
                    when 'days_since_last_order' then known.days_since_last_order
                    when 'order_count' then known.order_count
                    when 'customer_id' then 0
                end as double precision
            ),
            '-infinity'
        ) as sort_key
    from mart.analytic_customer(:firm_key, :as_of) as known
    where
        (cast(:search as text) is null or strpos(lower(known.customer_id), lower(:search)) > 0)
        and (cast(:segment as text) is null or known.rfm_segment = :segment)
        and (cast(:tier as text) is null or known.value_tier = :tier)
        and (cast(:risk as text) is null or known.churn_risk_category = :risk)
        and (cast(:activity as text) is null or known.activity_status = :activity)
        and (cast(:recency as text) is null or left(known.rfm_score, 1) = :recency)
        and (cast(:frequency as text) is null or substr(known.rfm_score, 2, 1) = :frequency)

)

select found.*
from found
where
    cast(:after_id as text) is null
    or cast(:after_key as double precision) > found.sort_key
    or (found.sort_key = cast(:after_key as double precision) and :after_id < found.customer_id)
order by
    found.sort_key desc,
    found.customer_id asc
limit :page_rows;

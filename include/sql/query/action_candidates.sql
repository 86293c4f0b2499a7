-- action_candidates: one row per customer with a segment, a churn risk and a positive value.
-- Grain: customer_id. Params: :as_of (exclusive). Without all three modules it is empty.

with averages as (

    select
        sum(cast(avg_order_value as double) * order_count)
        / nullif(sum(case when avg_order_value is not null then order_count end), 0) as firm_avg_order_value
    from rfm

),

messages as (

    select
        customer_id,
        bool_or(activity_type = 'unsubscribed') as has_unsubscribed,
        max(case when activity_type in ('targeted', 'sent') then order_date end) as last_contact_date
    from interactions
    where
        customer_id is not null
        and activity_type in ('targeted', 'sent', 'unsubscribed')
        and order_date < :as_of
    group by customer_id

),

assigned as (

    select
        customer_id,
        max(order_date) as assigned_date
    from assignments
    where
        order_date < :as_of
        and order_date >= date_trunc('quarter', cast(:as_of as date))
    group by customer_id

)

select
    rfm.customer_id,
    rfm.segment_code,
    churn_risk.churn_risk_category,
    ltv.predicted_clv_1_year as value_at_stake,
    rfm.order_count,
    averages.firm_avg_order_value,
    messages.last_contact_date,
    assigned.assigned_date,
    case when coalesce(messages.has_unsubscribed, false) then false else customers.may_contact end
        as may_contact
from rfm
inner join churn_risk on rfm.customer_id = churn_risk.customer_id
inner join ltv on rfm.customer_id = ltv.customer_id
left join customers on rfm.customer_id = customers.customer_id
left join messages on rfm.customer_id = messages.customer_id
left join assigned on rfm.customer_id = assigned.customer_id
cross join averages
where ltv.predicted_clv_1_year > 0
order by rfm.customer_id

-- months: one row per month with a sale or a return by an identified customer, before as_of.
-- Grain: month_start. Params: :as_of (exclusive).

with firsts as (

    select
        customer_id,
        min(order_date) as first_order_date
    from customer_days
    where
        order_count > 0
        and order_date < :as_of
    group by customer_id

),

dated as (

    select
        customer_days.*,
        date_trunc('month', customer_days.order_date) as month_start,
        date_trunc('month', firsts.first_order_date) as first_month_start
    from customer_days
    left join firsts on customer_days.customer_id = firsts.customer_id
    where customer_days.order_date < :as_of

)

select
    cast(month_start as date) as month_start,
    count(distinct case when order_count > 0 then customer_id end) as customers,
    count(
        distinct case when order_count > 0 and month_start = first_month_start then customer_id end
    ) as new_customers,
    sum(order_count) as order_count,
    sum(return_count) as return_count,
    sum(sale_amount) as sale_amount,
    sum(return_amount) as return_amount,
    sum(net_amount) as net_amount
from dated
group by month_start
order by month_start

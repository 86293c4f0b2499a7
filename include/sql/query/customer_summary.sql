-- customer_summary: one row per customer with a sale before as_of.
-- Grain: customer_id. Params: :as_of (exclusive), :rfm_window_days.

with days as (

    select
        customer_id,
        order_date,
        order_count,
        return_count,
        sale_amount,
        net_amount,
        margin_amount,
        cast(:as_of as date) - order_date as days_ago
    from customer_days
    where order_date < :as_of

),

sale_days as (

    select
        customer_id,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        count(*) as sale_days
    from days
    where order_count > 0
    group by customer_id

),

repeat_days as (

    select
        days.customer_id,
        cast(sum(days.sale_amount) as double) / count(*) as mean_repeat_spend
    from days
    inner join sale_days
        on
            days.customer_id = sale_days.customer_id
            and days.order_date > sale_days.first_order_date
    where days.order_count > 0
    group by days.customer_id

),

totals as (

    select
        customer_id,
        sum(case when days_ago <= 30 then order_count else 0 end) as order_count_30_days,
        sum(case when days_ago <= 30 then net_amount else 0 end) as total_spend_30_days,
        sum(case when days_ago <= 90 then order_count else 0 end) as order_count_90_days,
        sum(case when days_ago <= 90 then net_amount else 0 end) as total_spend_90_days,
        sum(case when days_ago <= 180 then order_count else 0 end) as order_count_180_days,
        sum(case when days_ago <= 180 then net_amount else 0 end) as total_spend_180_days,
        sum(case when days_ago <= 365 then order_count else 0 end) as order_count_365_days,
        sum(case when days_ago <= 365 then net_amount else 0 end) as total_spend_365_days,
        sum(order_count) as order_count,
        sum(net_amount) as total_spend,
        sum(margin_amount) as total_margin,
        sum(case when days_ago <= :rfm_window_days then order_count else 0 end) as window_orders,
        sum(case when days_ago <= :rfm_window_days then net_amount else 0 end) as window_spend,
        sum(sale_amount) as sale_amount,
        sum(return_count) as return_count
    from days
    group by customer_id

),

spans as (

    select
        customer_id,
        first_order_date,
        last_order_date,
        cast(:as_of as date) - last_order_date as days_since_last_order,
        sale_days - 1 as frequency,
        last_order_date - first_order_date as recency_days,
        cast(:as_of as date) - first_order_date as age_days,
        cast(last_order_date - first_order_date as double)
        / nullif(sale_days - 1, 0) as avg_days_between_orders
    from sale_days

),

averages as (

    select
        customer_id,
        cast(cast(sale_amount as double) / nullif(order_count, 0) as decimal(38, 4)) as avg_order_value
    from totals

)

select
    spans.customer_id,
    spans.first_order_date,
    spans.last_order_date,
    spans.days_since_last_order,
    spans.frequency,
    spans.recency_days,
    spans.age_days,
    repeat_days.mean_repeat_spend,
    totals.order_count_30_days,
    totals.total_spend_30_days,
    totals.order_count_90_days,
    totals.total_spend_90_days,
    totals.order_count_180_days,
    totals.total_spend_180_days,
    totals.order_count_365_days,
    totals.total_spend_365_days,
    totals.order_count,
    totals.total_spend,
    totals.total_margin,
    totals.window_orders,
    totals.window_spend,
    averages.avg_order_value,
    spans.avg_days_between_orders,
    totals.return_count
from spans
inner join totals on spans.customer_id = totals.customer_id
inner join averages on spans.customer_id = averages.customer_id
left join repeat_days on spans.customer_id = repeat_days.customer_id
order by spans.customer_id

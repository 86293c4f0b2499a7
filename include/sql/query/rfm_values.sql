-- rfm_values: one row per RFM metric and distinct value, with the number of customers at it and worse.
-- Grain: metric, metric_value. Params: :min_spend, :min_orders (below: not scored; 0: no minimum).

with scored as (

    select
        days_since_last_order,
        window_orders,
        window_spend
    from customer_summary
    where
        (:min_spend = 0 or total_spend >= cast(:min_spend as decimal(18, 4)))
        and order_count >= :min_orders

),

histogram as (

    select
        'recency' as metric,
        cast(days_since_last_order as decimal(18, 4)) as metric_value,
        -cast(days_since_last_order as decimal(18, 4)) as goodness,
        count(*) as customers
    from scored
    group by days_since_last_order

    union all

    select
        'frequency' as metric,
        cast(window_orders as decimal(18, 4)) as metric_value,
        cast(window_orders as decimal(18, 4)) as goodness,
        count(*) as customers
    from scored
    group by window_orders

    union all

    select
        'monetary' as metric,
        window_spend as metric_value,
        window_spend as goodness,
        count(*) as customers
    from scored
    group by window_spend

)

select
    metric,
    metric_value,
    customers,
    sum(customers) over (
        partition by metric
        order by goodness
        rows between unbounded preceding and current row
    ) - customers as customers_worse
from histogram
order by
    metric,
    metric_value

-- analytic_firm_based: the firm's metrics and insight text, in its own language.
-- Grain: one row. Params: :firm_key, :as_of, :run_id. Shares are in percent, money in the firm's currency.

with written as (

    select string_agg(insight.sentence, ' ' order by insight.place asc) as smart_insight
    from mart.firm_insight(:firm_key, :as_of) as insight
    where insight.is_firm_language

),

measured as (

    select
        known.metric,
        known.metric_value
    from mart.firm_metric(:firm_key, :as_of) as known
    where known.member = ''

),

wide as (

    select
        count(*) as metrics,
        max(metric_value) filter (where metric = 'customers') as customers,
        max(metric_value) filter (where metric = 'active_customers') as active_customers,
        max(metric_value) filter (where metric = 'inactive_customers') as inactive_customers,
        max(metric_value) filter (where metric = 'new_customers') as new_customers,
        max(metric_value) filter (where metric = 'one_time_customers') as one_time_customers,
        max(metric_value) filter (where metric = 'orders') as orders,
        max(metric_value) filter (where metric = 'orders_year') as orders_year,
        max(metric_value) filter (where metric = 'revenue') as revenue,
        max(metric_value) filter (where metric = 'revenue_year') as revenue_year,
        max(metric_value) filter (where metric = 'revenue_change') as revenue_change_percent,
        max(metric_value) filter (where metric = 'avg_order_value') as avg_order_value,
        max(metric_value) filter (where metric = 'median_spend') as median_spend,
        max(metric_value) filter (where metric = 'median_orders') as median_orders,
        max(metric_value) filter (
            where metric = 'median_days_since_last_order'
        ) as median_days_since_last_order,
        max(metric_value) filter (where metric = 'active_share') as active_percent,
        max(metric_value) filter (where metric = 'retention_rate') as retention_percent,
        max(metric_value) filter (where metric = 'one_timer_conversion') as one_timer_conversion_percent,
        max(metric_value) filter (where metric = 'new_customer_share') as new_customer_percent,
        max(metric_value) filter (where metric = 'high_risk_customers') as high_risk_customers,
        max(metric_value) filter (where metric = 'spend_at_risk') as revenue_at_risk,
        100 * max(metric_value) filter (where metric = 'spend_at_risk')
        / nullif(max(metric_value) filter (where metric = 'revenue_year'), 0) as revenue_at_risk_percent,
        max(metric_value) filter (where metric = 'expected_margin_year') as expected_margin_year
    from measured

)

select
    :firm_key as firm_id,
    :run_id as run_id,
    cast(:as_of as date) as run_date,
    dim_firm.currency as currency_code,
    wide.customers,
    wide.active_customers,
    wide.inactive_customers,
    wide.new_customers,
    wide.one_time_customers,
    wide.orders,
    wide.orders_year,
    wide.revenue,
    wide.revenue_year,
    wide.revenue_change_percent,
    wide.avg_order_value,
    wide.median_spend,
    wide.median_orders,
    wide.median_days_since_last_order,
    wide.active_percent,
    wide.retention_percent,
    wide.one_timer_conversion_percent,
    wide.new_customer_percent,
    wide.high_risk_customers,
    wide.revenue_at_risk,
    wide.revenue_at_risk_percent,
    wide.expected_margin_year,
    written.smart_insight
from wide
cross join written
inner join analytics.dim_firm on dim_firm.firm_key = :firm_key
where wide.metrics > 0

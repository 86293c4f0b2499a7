-- firm_metrics: one row per metric and member, with numerator, denominator and definition.
-- Grain: metric, member. Params: :as_of (exclusive), :churn_threshold_days (the period of activity).
-- A ratio with denominator 0 is null, and so is a metric of a module that is off.

with catalogue (metric, unit, is_ratio, is_of_members, definition) as (

    values
    ('active_customers', 'count', false, false, 'Customers with a sale in the last period.'),
    ('active_share', 'percent', true, false, 'Customers with a sale in the last period, of all customers.'),
    ('avg_order_value', 'money', true, false, 'Sale amount per order, last 365 days.'),
    ('customers', 'count', false, false, 'Customers with a sale before as_of.'),
    ('discount_share', 'percent', true, false, 'Discounts, of sales before discounts, last 365 days.'),
    ('earlier_customers', 'count', false, false, 'Customers with a sale in the period before the last.'),
    ('high_risk_customers', 'count', false, false, 'Active customers at High or Critical risk.'),
    ('high_risk_share', 'percent', true, false, 'Of active customers, those at High or Critical risk.'),
    ('inactive_customers', 'count', false, false, 'Customers without a sale in the last period.'),
    ('median_days_between_orders', 'days', false, false, 'Median of repeat customers'' mean gap.'),
    ('median_days_since_last_order', 'days', false, false, 'Median of days since the last sale.'),
    ('median_orders', 'count', false, false, 'Median of customers'' orders, lifetime.'),
    ('median_spend', 'money', false, false, 'Median of customers'' net spend, lifetime.'),
    ('new_customer_share', 'percent', true, false, 'First sale in the last period, of those with any in it.'),
    ('new_customers', 'count', false, false, 'Customers whose first sale is in the last period.'),
    ('one_time_customers', 'count', false, false, 'Customers with a single order, lifetime.'),
    ('one_time_share', 'percent', true, false, 'Customers with a single order, of all customers.'),
    ('expected_margin_year', 'money', false, false, 'Expected margin of orders, next 365 days, discounted.'),
    (
        'one_timer_conversion', 'percent', true, false,
        'Second sale day within a period of the first, of customers whose first is over a period ago.'
    ),
    ('orders', 'count', false, false, 'Orders, lifetime.'),
    ('orders_year', 'count', false, false, 'Orders, last 365 days.'),
    ('period_days', 'days', false, false, 'The firm''s churn threshold: the length of a period.'),
    ('retained_customers', 'count', false, false, 'Customers with a sale in both the last two periods.'),
    ('retention_rate', 'percent', true, false, 'Sales in both periods, of those with one in the earlier.'),
    ('return_share', 'percent', true, false, 'Given back for returns, of sales, last 365 days.'),
    ('revenue', 'money', false, false, 'Net sales to known customers, lifetime.'),
    ('revenue_at_risk', 'money', false, false, 'Net spend, last 365 days, of active customers at high risk.'),
    ('revenue_at_risk_share', 'percent', true, false, 'Revenue at risk, of net sales of the last 365 days.'),
    (
        'revenue_change', 'percent', true, false,
        'Net sales of the last 365 days less those of the 365 before, of the latter; null if not all known.'
    ),
    ('revenue_year', 'money', false, false, 'Net sales to known customers, last 365 days.'),
    ('risk_customers', 'count', false, true, 'Customers in the churn risk category.'),
    ('risk_share', 'percent', true, true, 'Customers in the churn risk category, of all scored.'),
    ('segment_customers', 'count', false, true, 'Customers in the RFM segment.'),
    ('segment_revenue', 'money', false, true, 'Net spend of the RFM segment, last 365 days.'),
    ('segment_share', 'percent', true, true, 'Customers in the RFM segment, of all customers.'),
    (
        'top_tenth_share', 'percent', true, false,
        'Net spend of the tenth who spent most, of all positive net spend, last 365 days.'
    )

),

customers as (

    select
        count(*) as customers,
        sum(case when days_since_last_order <= :churn_threshold_days then 1 else 0 end) as active_customers,
        sum(case when age_days <= :churn_threshold_days then 1 else 0 end) as new_customers,
        sum(case when order_count = 1 then 1 else 0 end) as one_time_customers,
        sum(order_count) as orders,
        sum(total_spend) as revenue,
        median(order_count) as median_orders,
        median(total_spend) as median_spend,
        median(days_since_last_order) as median_days_since_last_order,
        median(avg_days_between_orders) as median_days_between_orders,
        max(age_days) as history_days,
        max(:churn_threshold_days) as period_days
    from customer_summary

),

days as (

    select
        customer_id,
        order_date,
        order_count,
        gross_amount,
        discount_amount,
        sale_amount,
        return_amount,
        net_amount,
        cast(:as_of as date) - order_date as days_ago
    from customer_days
    where order_date < :as_of

),

year_sums as (

    select
        sum(case when days_ago <= 365 then order_count else 0 end) as orders_year,
        sum(case when days_ago <= 365 then gross_amount else 0 end) as gross_year,
        sum(case when days_ago <= 365 then discount_amount else 0 end) as discount_year,
        sum(case when days_ago <= 365 then sale_amount else 0 end) as sales_year,
        sum(case when days_ago <= 365 then return_amount else 0 end) as returns_year,
        sum(case when days_ago <= 365 then net_amount else 0 end) as revenue_year,
        sum(case when days_ago between 366 and 730 then net_amount else 0 end) as revenue_year_before
    from days

),

activity as (

    select
        customer_id,
        max(case when days_ago <= :churn_threshold_days then 1 else 0 end) as is_active,
        max(
            case
                when
                    days_ago > :churn_threshold_days
                    and days_ago <= 2 * :churn_threshold_days
                    then 1
                else 0
            end
        ) as was_active
    from days
    where order_count > 0
    group by customer_id

),

retention as (

    select
        sum(was_active) as earlier_customers,
        sum(was_active * is_active) as retained_customers
    from activity

),

matured as (

    select
        customer_id,
        first_order_date
    from customer_summary
    where age_days > :churn_threshold_days

),

second_days as (

    select
        matured.customer_id,
        min(days.order_date) - matured.first_order_date as days_to_second
    from matured
    left join days
        on
            matured.customer_id = days.customer_id
            and matured.first_order_date < days.order_date
            and days.order_count > 0
    group by
        matured.customer_id,
        matured.first_order_date

),

conversion as (

    select
        count(*) as matured_customers,
        sum(case when days_to_second <= :churn_threshold_days then 1 else 0 end) as converted_customers
    from second_days

),

tenths as (

    select
        total_spend_365_days,
        ntile(10) over (order by total_spend_365_days desc) as tenth
    from customer_summary
    where total_spend_365_days > 0

),

concentration as (

    select
        sum(case when tenth = 1 then total_spend_365_days else 0 end) as top_spend,
        sum(total_spend_365_days) as all_spend
    from tenths

),

active as (

    select
        customer_id,
        total_spend_365_days
    from customer_summary
    where days_since_last_order <= :churn_threshold_days

),

active_risk as (

    select
        active.total_spend_365_days,
        case when churn_risk.churn_risk_category in ('High', 'Critical') then 1 else 0 end as is_at_risk
    from churn_risk
    inner join active on churn_risk.customer_id = active.customer_id

),

-- Without scores these sums are null, not 0.
risk as (

    select
        sum(is_at_risk) as high_risk_customers,
        sum(is_at_risk * total_spend_365_days) as revenue_at_risk,
        count(*) as scored_customers
    from active_risk

),

-- Null also if lifetime value is off or unknown for a customer.
expected as (

    select
        case
            when count(*) = count(predicted_clv_1_year) then sum(predicted_clv_1_year)
        end as expected_margin_year
    from ltv

),

whole_firm as (

    select
        catalogue.metric,
        '' as member,
        case catalogue.metric
            when 'active_customers' then customers.active_customers
            when 'active_share' then customers.active_customers
            when 'avg_order_value' then year_sums.sales_year
            when 'customers' then customers.customers
            when 'discount_share' then year_sums.discount_year
            when 'earlier_customers' then retention.earlier_customers
            when 'expected_margin_year' then expected.expected_margin_year
            when 'high_risk_customers' then risk.high_risk_customers
            when 'high_risk_share' then risk.high_risk_customers
            when 'inactive_customers' then customers.customers - customers.active_customers
            when 'median_days_between_orders' then customers.median_days_between_orders
            when 'median_days_since_last_order' then customers.median_days_since_last_order
            when 'median_orders' then customers.median_orders
            when 'median_spend' then customers.median_spend
            when 'new_customer_share' then customers.new_customers
            when 'new_customers' then customers.new_customers
            when 'one_time_customers' then customers.one_time_customers
            when 'one_time_share' then customers.one_time_customers
            when 'one_timer_conversion' then conversion.converted_customers
            when 'orders' then customers.orders
            when 'orders_year' then year_sums.orders_year
            when 'period_days' then customers.period_days
            when 'retained_customers' then retention.retained_customers
            when 'retention_rate' then retention.retained_customers
            when 'return_share' then year_sums.returns_year
            when 'revenue' then customers.revenue
            when 'revenue_at_risk' then risk.revenue_at_risk
            when 'revenue_at_risk_share' then risk.revenue_at_risk
            when 'revenue_change' then year_sums.revenue_year - year_sums.revenue_year_before
            when 'revenue_year' then year_sums.revenue_year
            when 'top_tenth_share' then concentration.top_spend
        end as numerator,
        case catalogue.metric
            when 'active_share' then customers.customers
            when 'avg_order_value' then year_sums.orders_year
            when 'discount_share' then year_sums.gross_year
            when 'high_risk_share' then risk.scored_customers
            when 'new_customer_share' then customers.active_customers
            when 'one_time_share' then customers.customers
            when 'one_timer_conversion' then conversion.matured_customers
            when 'retention_rate' then retention.earlier_customers
            when 'return_share' then year_sums.sales_year
            when 'revenue_at_risk_share' then year_sums.revenue_year
            when 'revenue_change'
                then case when customers.history_days >= 730 then year_sums.revenue_year_before end
            when 'top_tenth_share' then concentration.all_spend
        end as denominator
    from catalogue
    cross join customers
    cross join year_sums
    cross join retention
    cross join conversion
    cross join concentration
    cross join risk
    cross join expected
    where catalogue.is_of_members = false

),

segments as (

    select
        segment_code,
        count(*) as customers,
        sum(count(*)) over () as all_customers,
        sum(total_spend_365_days) as revenue
    from rfm
    group by segment_code

),

segment_metrics as (

    select
        catalogue.metric,
        segments.segment_code as member,
        case
            when catalogue.metric = 'segment_revenue' then segments.revenue else segments.customers
        end as numerator,
        case when catalogue.is_ratio then segments.all_customers end as denominator
    from segments
    inner join catalogue on catalogue.metric in ('segment_customers', 'segment_revenue', 'segment_share')

),

categories as (

    select
        churn_risk_category,
        count(*) as customers,
        sum(count(*)) over () as all_customers
    from churn_risk
    group by churn_risk_category

),

risk_metrics as (

    select
        catalogue.metric,
        categories.churn_risk_category as member,
        categories.customers as numerator,
        case when catalogue.is_ratio then categories.all_customers end as denominator
    from categories
    inner join catalogue on catalogue.metric in ('risk_customers', 'risk_share')

),

measures as (

    select
        metric,
        member,
        cast(numerator as double) as numerator,
        cast(denominator as double) as denominator
    from whole_firm

    union all

    select
        metric,
        member,
        cast(numerator as double) as numerator,
        cast(denominator as double) as denominator
    from segment_metrics

    union all

    select
        metric,
        member,
        cast(numerator as double) as numerator,
        cast(denominator as double) as denominator
    from risk_metrics

)

select
    measures.metric,
    measures.member,
    catalogue.unit,
    cast(measures.numerator as decimal(38, 4)) as numerator,
    cast(measures.denominator as decimal(38, 4)) as denominator,
    cast(
        case
            when not catalogue.is_ratio then measures.numerator
            when measures.denominator > 0
                then
                    measures.numerator
                    * case when catalogue.unit = 'percent' then 100 else 1 end
                    / measures.denominator
        end as decimal(38, 4)
    ) as metric_value,
    catalogue.definition
from measures
inner join catalogue on measures.metric = catalogue.metric
order by
    measures.metric,
    measures.member

-- firm_measures: one row per metric and member, with numerator and denominator. include/metrics/ says what
-- each metric is; spend_at_risk_deviation and active_spend are parts of an interval (models/metrics.py).
-- Grain: metric, member. Params: :as_of (exclusive), :churn_threshold_days (the period of activity),
-- :margin_share. A metric of a module that is off is null.

with catalogue (metric) as (

    values
    ('active_customers'),
    ('active_share'),
    ('active_spend'),
    ('avg_order_value'),
    ('customers'),
    ('discount_share'),
    ('earlier_customers'),
    ('expected_leavers'),
    ('expected_margin_year'),
    ('expected_spend_year'),
    ('expected_spend_year_high'),
    ('expected_spend_year_low'),
    ('high_risk_customers'),
    ('high_risk_share'),
    ('history_days'),
    ('inactive_customers'),
    ('margin_share'),
    ('median_days_between_orders'),
    ('median_days_since_last_order'),
    ('median_orders'),
    ('median_spend'),
    ('new_customer_share'),
    ('new_customers'),
    ('one_time_customers'),
    ('one_time_share'),
    ('one_timer_conversion'),
    ('orders'),
    ('orders_year'),
    ('period_days'),
    ('retained_customers'),
    ('retention_rate'),
    ('return_share'),
    ('revenue'),
    ('revenue_change'),
    ('revenue_year'),
    ('spend_at_risk'),
    ('spend_at_risk_deviation'),
    ('top_tenth_share')

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
        cast(active.total_spend_365_days as double) as spend,
        churn_risk.churn_probability as chance,
        case when churn_risk.churn_risk_category in ('High', 'Critical') then 1 else 0 end as is_at_risk
    from churn_risk
    inner join active on churn_risk.customer_id = active.customer_id
    where churn_risk.no_score_reason is distinct from 'too_new'

),

-- Null where rules score a customer: their scores are no chances. Without scores these sums are null, not 0.
risk as (

    select
        case when count(*) = count(chance) then sum(is_at_risk) end as high_risk_customers,
        case when count(*) = count(chance) then sum(chance) end as expected_leavers,
        case when count(*) = count(chance) then sum(chance * greatest(spend, 0)) end as spend_at_risk,
        sqrt(sum(chance * (1 - chance) * greatest(spend, 0) * greatest(spend, 0))) as spend_at_risk_deviation,
        sum(greatest(spend, 0)) as active_spend,
        count(chance) as scored_customers
    from active_risk

),

-- Null also if lifetime value is off or unknown for a customer.
expected as (

    select
        case
            when count(*) = count(predicted_clv_1_year) then sum(predicted_clv_1_year)
        end as expected_margin_year,
        case
            when count(*) = count(expected_spend_1_year) then sum(cast(expected_spend_1_year as double))
        end as expected_spend_year,
        case
            when count(*) = count(spend_deviation_1_year)
                then
                    max(total_reach) * sqrt(
                        sum(spend_deviation_1_year * spend_deviation_1_year)
                        + max(total_doubt_1_year) * max(total_doubt_1_year)
                        * sum(cast(expected_spend_1_year as double))
                        * sum(cast(expected_spend_1_year as double))
                    )
        end as spend_half_width,
        case when max(margin_source) = 'setting' then cast(:margin_share as double) end as margin_share
    from ltv

),

bounds as (

    select
        case
            when spend_half_width > expected_spend_year then 0
            else expected_spend_year - spend_half_width
        end as spend_low,
        expected_spend_year + spend_half_width as spend_high
    from expected

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
            when 'active_spend' then risk.active_spend
            when 'expected_leavers' then risk.expected_leavers
            when 'expected_margin_year' then expected.expected_margin_year
            when 'expected_spend_year' then expected.expected_spend_year
            when 'expected_spend_year_high' then bounds.spend_high
            when 'expected_spend_year_low' then bounds.spend_low
            when 'high_risk_customers' then risk.high_risk_customers
            when 'high_risk_share' then risk.high_risk_customers
            when 'history_days' then customers.history_days
            when 'inactive_customers' then customers.customers - customers.active_customers
            when 'margin_share' then expected.margin_share
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
            when 'revenue_change' then year_sums.revenue_year - year_sums.revenue_year_before
            when 'revenue_year' then year_sums.revenue_year
            when 'spend_at_risk' then risk.spend_at_risk
            when 'spend_at_risk_deviation' then risk.spend_at_risk_deviation
            when 'top_tenth_share' then concentration.top_spend
        end as numerator,
        case catalogue.metric
            when 'active_share' then customers.customers
            when 'avg_order_value' then year_sums.orders_year
            when 'discount_share' then year_sums.gross_year
            when 'high_risk_share' then risk.scored_customers
            when 'margin_share' then 1
            when 'new_customer_share' then customers.active_customers
            when 'one_time_share' then customers.customers
            when 'one_timer_conversion' then conversion.matured_customers
            when 'retention_rate' then retention.earlier_customers
            when 'return_share' then year_sums.sales_year
            when 'revenue_change' then year_sums.revenue_year_before
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
    cross join bounds

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

categories as (

    select
        churn_risk_category,
        count(*) as customers,
        sum(count(*)) over () as all_customers
    from churn_risk
    where churn_risk_category is not null
    group by churn_risk_category

),

planned as (

    select
        action_code,
        count(*) as customers,
        sum(cost_amount) as planned_cost,
        sum(expected_benefit_amount) as planned_benefit
    from actions
    where is_chosen
    group by action_code

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
        'segment_customers' as metric,
        segment_code as member,
        cast(customers as double) as numerator,
        cast(null as double) as denominator
    from segments

    union all

    select
        'segment_revenue' as metric,
        segment_code as member,
        cast(revenue as double) as numerator,
        cast(null as double) as denominator
    from segments

    union all

    select
        'segment_share' as metric,
        segment_code as member,
        cast(customers as double) as numerator,
        cast(all_customers as double) as denominator
    from segments

    union all

    select
        'risk_customers' as metric,
        churn_risk_category as member,
        cast(customers as double) as numerator,
        cast(null as double) as denominator
    from categories

    union all

    select
        'risk_share' as metric,
        churn_risk_category as member,
        cast(customers as double) as numerator,
        cast(all_customers as double) as denominator
    from categories

    union all

    select
        'action_customers' as metric,
        action_code as member,
        cast(customers as double) as numerator,
        cast(null as double) as denominator
    from planned

    union all

    select
        'action_cost' as metric,
        action_code as member,
        cast(planned_cost as double) as numerator,
        cast(null as double) as denominator
    from planned

    union all

    select
        'action_benefit' as metric,
        action_code as member,
        cast(planned_benefit as double) as numerator,
        cast(null as double) as denominator
    from planned

)

select
    metric,
    member,
    cast(numerator as decimal(38, 4)) as numerator,
    cast(denominator as decimal(38, 4)) as denominator
from measures
order by
    metric,
    member

-- rhythm_features: purchase regularity per customer: gaps between sale days, active weeks, usual days.
-- Grain: customer_id. Params: :as_of (exclusive). A gap is the days between two consecutive sale days.

with sale_days as (

    select
        customer_id,
        order_date,
        sale_amount,
        date_diff('day', order_date, cast(:as_of as date)) as days_ago,
        -- 1970-01-05 was a Monday. Engines number weekdays differently; day counts agree.
        date_diff('day', date '1970-01-05', order_date) % 7 as day_of_week,
        extract(day from order_date) as month_day,
        extract(quarter from order_date) as quarter_of_year,
        lag(order_date) over (partition by customer_id order by order_date) as previous_date,
        row_number() over (partition by customer_id order by order_date) as day_number,
        row_number() over (partition by customer_id order by order_date desc) as days_from_last
    from customer_days
    where
        order_date < :as_of
        and order_count > 0

),

dated as (

    select
        customer_id,
        sale_amount,
        days_ago,
        day_of_week,
        month_day,
        quarter_of_year,
        day_number,
        days_from_last,
        date_diff('day', previous_date, order_date) as gap_days,
        min(days_ago) over (partition by customer_id) as silence_days
    from sale_days

)

select
    customer_id,
    max(silence_days) as days_since_last_order,
    max(days_ago) - min(days_ago) as recency_days,
    max(days_ago) as age_days,
    count(*) - 1 as frequency,
    max(case when day_number = 1 then sale_amount end) as first_day_amount,
    max(case when days_from_last = 1 then sale_amount end) as last_day_amount,
    cast(sum(gap_days) as double) / nullif(count(gap_days), 0) as avg_days_between_orders,
    median(gap_days) as median_days_between_orders,
    -- Exact sums, so the result does not depend on the order of rows.
    case
        when count(gap_days) > 1
            then sqrt(
                cast(count(gap_days) * sum(gap_days * gap_days) - sum(gap_days) * sum(gap_days) as double)
                / (count(gap_days) * (count(gap_days) - 1))
            )
    end as sd_days_between_orders,
    min(gap_days) as min_days_between_orders,
    max(gap_days) as max_days_between_orders,
    max(case when days_ago <= 365 then gap_days end) as max_days_between_orders_365_days,
    max(case when day_number = 2 then gap_days end) as first_days_between_orders,
    max(case when days_from_last = 1 then gap_days end) as last_days_between_orders,
    max(case when days_from_last = 2 then gap_days end) as previous_days_between_orders,
    cast(sum(case when days_from_last <= 3 then gap_days end) as double)
    / nullif(count(case when days_from_last <= 3 then gap_days end), 0) as avg_last_3_days_between_orders,
    cast(sum(case when days_from_last <= 6 then gap_days end) as double)
    / nullif(count(case when days_from_last <= 6 then gap_days end), 0) as avg_last_6_days_between_orders,
    count(case when gap_days > silence_days then 1 end) as longer_gap_count,
    cast(count(case when gap_days > silence_days then 1 end) as double)
    / nullif(count(gap_days), 0) as longer_gap_share,
    max(case when days_from_last = 2 then days_ago end) as days_since_order_2,
    max(case when days_from_last = 3 then days_ago end) as days_since_order_3,
    max(case when days_from_last = 5 then days_ago end) as days_since_order_5,
    max(case when days_from_last = 10 then days_ago end) as days_since_order_10,
    count(distinct case when days_ago <= 28 then floor((days_ago - 1) / 7e0) end) as active_weeks_4_weeks,
    count(distinct case when days_ago <= 56 then floor((days_ago - 1) / 7e0) end) as active_weeks_8_weeks,
    count(distinct case when days_ago <= 91 then floor((days_ago - 1) / 7e0) end)
        as active_weeks_13_weeks,
    count(distinct case when days_ago <= 182 then floor((days_ago - 1) / 7e0) end)
        as active_weeks_26_weeks,
    count(distinct case when days_ago <= 364 then floor((days_ago - 1) / 7e0) end)
        as active_weeks_52_weeks,
    count(distinct case when days_ago <= 90 then floor((days_ago - 1) / 30e0) end)
        as active_months_3_months,
    count(distinct case when days_ago <= 180 then floor((days_ago - 1) / 30e0) end)
        as active_months_6_months,
    count(distinct case when days_ago <= 360 then floor((days_ago - 1) / 30e0) end)
        as active_months_12_months,
    cast(count(case when day_of_week = 0 then 1 end) as double) / count(*) as monday_share,
    cast(count(case when day_of_week = 1 then 1 end) as double) / count(*) as tuesday_share,
    cast(count(case when day_of_week = 2 then 1 end) as double) / count(*) as wednesday_share,
    cast(count(case when day_of_week = 3 then 1 end) as double) / count(*) as thursday_share,
    cast(count(case when day_of_week = 4 then 1 end) as double) / count(*) as friday_share,
    cast(count(case when day_of_week = 5 then 1 end) as double) / count(*) as saturday_share,
    cast(count(case when day_of_week = 6 then 1 end) as double) / count(*) as sunday_share,
    cast(count(case when day_of_week >= 5 then 1 end) as double) / count(*) as weekend_share,
    cast(count(case when day_of_week >= 5 and days_ago <= 90 then 1 end) as double)
    / nullif(count(case when days_ago <= 90 then 1 end), 0) as weekend_share_90_days,
    cast(count(case when month_day <= 10 then 1 end) as double) / count(*) as early_month_share,
    cast(count(case when month_day between 11 and 20 then 1 end) as double) / count(*) as mid_month_share,
    cast(count(case when month_day > 20 then 1 end) as double) / count(*) as late_month_share,
    cast(count(case when quarter_of_year = 1 then 1 end) as double) / count(*) as quarter_1_share,
    cast(count(case when quarter_of_year = 2 then 1 end) as double) / count(*) as quarter_2_share,
    cast(count(case when quarter_of_year = 3 then 1 end) as double) / count(*) as quarter_3_share,
    cast(count(case when quarter_of_year = 4 then 1 end) as double) / count(*) as quarter_4_share
from dated
group by customer_id
order by customer_id

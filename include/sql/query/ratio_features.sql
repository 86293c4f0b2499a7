-- ratio_features: ratios of a customer's features: trends, overdue ratios, shares, engagement.
-- Grain: customer_id. Params: :as_of (exclusive). A ratio with denominator 0 is null.

with facts as (

    select
        purchase_features.customer_id,
        purchase_features.order_count_30_days,
        purchase_features.sale_day_count_30_days,
        purchase_features.order_count_60_days,
        purchase_features.sale_day_count_60_days,
        purchase_features.order_count_90_days,
        purchase_features.sale_day_count_90_days,
        purchase_features.line_count_90_days,
        purchase_features.return_count_90_days,
        purchase_features.order_count_180_days,
        purchase_features.sale_day_count_180_days,
        purchase_features.order_count_365_days,
        purchase_features.sale_day_count_365_days,
        purchase_features.line_count_365_days,
        purchase_features.return_count_365_days,
        purchase_features.order_count,
        purchase_features.return_count,
        purchase_features.order_count_31_to_60_days,
        purchase_features.order_count_61_to_90_days,
        purchase_features.order_count_91_to_120_days,
        purchase_features.order_count_121_to_150_days,
        purchase_features.order_count_151_to_180_days,
        purchase_features.order_count_next_30_days_year_ago,
        rhythm_features.days_since_last_order,
        rhythm_features.recency_days,
        rhythm_features.age_days,
        rhythm_features.frequency,
        rhythm_features.avg_days_between_orders,
        rhythm_features.median_days_between_orders,
        rhythm_features.sd_days_between_orders,
        rhythm_features.max_days_between_orders,
        rhythm_features.last_days_between_orders,
        rhythm_features.avg_last_3_days_between_orders,
        rhythm_features.active_weeks_13_weeks,
        rhythm_features.active_weeks_26_weeks,
        rhythm_features.active_weeks_52_weeks,
        order_features.sd_order_value,
        order_features.avg_last_3_order_value,
        assortment_features.product_count,
        assortment_features.product_count_90_days,
        assortment_features.category_count,
        assortment_features.category_count_90_days,
        assortment_features.category_count_365_days,
        loyalty_features.movement_count,
        loyalty_features.movement_count_90_days,
        cast(purchase_features.total_spend_30_days as double) as total_spend_30_days,
        cast(purchase_features.discount_amount_30_days as double) as discount_amount_30_days,
        cast(purchase_features.return_amount_30_days as double) as return_amount_30_days,
        cast(purchase_features.total_spend_60_days as double) as total_spend_60_days,
        cast(purchase_features.return_amount_60_days as double) as return_amount_60_days,
        cast(purchase_features.unit_count_90_days as double) as unit_count_90_days,
        cast(purchase_features.total_spend_90_days as double) as total_spend_90_days,
        cast(purchase_features.discount_amount_90_days as double) as discount_amount_90_days,
        cast(purchase_features.return_amount_90_days as double) as return_amount_90_days,
        cast(purchase_features.total_spend_180_days as double) as total_spend_180_days,
        cast(purchase_features.return_amount_180_days as double) as return_amount_180_days,
        cast(purchase_features.unit_count_365_days as double) as unit_count_365_days,
        cast(purchase_features.total_spend_365_days as double) as total_spend_365_days,
        cast(purchase_features.discount_amount_365_days as double) as discount_amount_365_days,
        cast(purchase_features.return_amount_365_days as double) as return_amount_365_days,
        cast(purchase_features.unit_count as double) as unit_count,
        cast(purchase_features.total_spend as double) as total_spend,
        cast(purchase_features.discount_amount as double) as discount_amount,
        cast(purchase_features.return_amount as double) as return_amount,
        cast(purchase_features.sale_amount as double) as sale_amount,
        cast(purchase_features.total_margin as double) as total_margin,
        cast(purchase_features.total_spend_31_to_60_days as double) as total_spend_31_to_60_days,
        cast(purchase_features.total_spend_61_to_90_days as double) as total_spend_61_to_90_days,
        cast(purchase_features.total_spend_91_to_120_days as double) as total_spend_91_to_120_days,
        cast(purchase_features.total_spend_121_to_150_days as double) as total_spend_121_to_150_days,
        cast(purchase_features.total_spend_151_to_180_days as double) as total_spend_151_to_180_days,
        cast(rhythm_features.first_day_amount as double) as first_day_amount,
        cast(rhythm_features.last_day_amount as double) as last_day_amount,
        cast(order_features.last_order_value as double) as last_order_value,
        cast(loyalty_features.points_used as double) as points_used
    from purchase_features
    inner join rhythm_features on purchase_features.customer_id = rhythm_features.customer_id
    left join order_features on purchase_features.customer_id = order_features.customer_id
    left join assortment_features on purchase_features.customer_id = assortment_features.customer_id
    left join loyalty_features on purchase_features.customer_id = loyalty_features.customer_id

)

select
    customer_id,
    (total_spend_30_days + return_amount_30_days) / nullif(order_count_30_days, 0)
        as avg_order_value_30_days,
    (total_spend_60_days + return_amount_60_days) / nullif(order_count_60_days, 0)
        as avg_order_value_60_days,
    (total_spend_90_days + return_amount_90_days) / nullif(order_count_90_days, 0)
        as avg_order_value_90_days,
    (total_spend_180_days + return_amount_180_days) / nullif(order_count_180_days, 0)
        as avg_order_value_180_days,
    (total_spend_365_days + return_amount_365_days) / nullif(order_count_365_days, 0)
        as avg_order_value_365_days,
    2e0 * cast(order_count_30_days as double) / nullif(order_count_60_days, 0)
        as order_count_trend_30_of_60_days,
    3e0 * cast(order_count_30_days as double) / nullif(order_count_90_days, 0)
        as order_count_trend_30_of_90_days,
    3e0 * cast(order_count_60_days as double) / nullif(order_count_180_days, 0)
        as order_count_trend_60_of_180_days,
    2e0 * cast(order_count_90_days as double) / nullif(order_count_180_days, 0)
        as order_count_trend_90_of_180_days,
    365e0 / 90e0 * cast(order_count_90_days as double) / nullif(order_count_365_days, 0)
        as order_count_trend_90_of_365_days,
    2e0 * total_spend_30_days / nullif(total_spend_60_days, 0) as total_spend_trend_30_of_60_days,
    3e0 * total_spend_30_days / nullif(total_spend_90_days, 0) as total_spend_trend_30_of_90_days,
    3e0 * total_spend_60_days / nullif(total_spend_180_days, 0) as total_spend_trend_60_of_180_days,
    2e0 * total_spend_90_days / nullif(total_spend_180_days, 0) as total_spend_trend_90_of_180_days,
    365e0 / 90e0 * total_spend_90_days / nullif(total_spend_365_days, 0)
        as total_spend_trend_90_of_365_days,
    2e0 * cast(sale_day_count_30_days as double) / nullif(sale_day_count_60_days, 0)
        as sale_day_count_trend_30_of_60_days,
    3e0 * cast(sale_day_count_30_days as double) / nullif(sale_day_count_90_days, 0)
        as sale_day_count_trend_30_of_90_days,
    3e0 * cast(sale_day_count_60_days as double) / nullif(sale_day_count_180_days, 0)
        as sale_day_count_trend_60_of_180_days,
    2e0 * cast(sale_day_count_90_days as double) / nullif(sale_day_count_180_days, 0)
        as sale_day_count_trend_90_of_180_days,
    365e0 / 90e0 * cast(sale_day_count_90_days as double) / nullif(sale_day_count_365_days, 0)
        as sale_day_count_trend_90_of_365_days,
    365e0 / 90e0 * cast(line_count_90_days as double) / nullif(line_count_365_days, 0)
        as line_count_trend_90_of_365_days,
    365e0 / 90e0 * unit_count_90_days / nullif(unit_count_365_days, 0) as unit_count_trend_90_of_365_days,
    30e0 * order_count / age_days as orders_per_30_days,
    30e0 * total_spend / age_days as spend_per_30_days,
    cast(order_count_90_days as double) / least(90, age_days) * age_days / order_count
        as order_pace_90_of_lifetime,
    (
        2.5e0 * order_count_30_days
        + 1.5e0 * order_count_31_to_60_days
        + 0.5e0 * order_count_61_to_90_days
        - 0.5e0 * order_count_91_to_120_days
        - 1.5e0 * order_count_121_to_150_days
        - 2.5e0 * order_count_151_to_180_days
    ) / 17.5e0 as order_count_slope_180_days,
    (
        2.5e0 * total_spend_30_days
        + 1.5e0 * total_spend_31_to_60_days
        + 0.5e0 * total_spend_61_to_90_days
        - 0.5e0 * total_spend_91_to_120_days
        - 1.5e0 * total_spend_121_to_150_days
        - 2.5e0 * total_spend_151_to_180_days
    ) / 17.5e0 as total_spend_slope_180_days,
    1e0 * order_count_30_days
    + 0.5e0 * order_count_31_to_60_days
    + 0.25e0 * order_count_61_to_90_days
    + 0.125e0 * order_count_91_to_120_days
    + 0.0625e0 * order_count_121_to_150_days
    + 0.03125e0 * order_count_151_to_180_days as decayed_order_count,
    1e0 * total_spend_30_days
    + 0.5e0 * total_spend_31_to_60_days
    + 0.25e0 * total_spend_61_to_90_days
    + 0.125e0 * total_spend_91_to_120_days
    + 0.0625e0 * total_spend_121_to_150_days
    + 0.03125e0 * total_spend_151_to_180_days as decayed_total_spend,
    discount_amount_30_days
    / nullif(discount_amount_30_days + total_spend_30_days + return_amount_30_days, 0)
        as discount_share_30_days,
    discount_amount_90_days
    / nullif(discount_amount_90_days + total_spend_90_days + return_amount_90_days, 0)
        as discount_share_90_days,
    discount_amount_365_days
    / nullif(discount_amount_365_days + total_spend_365_days + return_amount_365_days, 0)
        as discount_share_365_days,
    discount_amount / nullif(discount_amount + total_spend + return_amount, 0) as discount_share,
    cast(return_count_90_days as double) / nullif(order_count_90_days, 0) as return_rate_90_days,
    cast(return_count_365_days as double) / nullif(order_count_365_days, 0) as return_rate_365_days,
    cast(return_count as double) / nullif(order_count, 0) as return_rate,
    return_amount / nullif(sale_amount, 0) as return_amount_share,
    total_margin / nullif(total_spend, 0) as margin_rate,
    days_since_last_order / nullif(avg_days_between_orders, 0) as silence_over_avg_gap,
    days_since_last_order / nullif(median_days_between_orders, 0) as silence_over_median_gap,
    cast(days_since_last_order as double) / nullif(max_days_between_orders, 0) as silence_over_max_gap,
    (days_since_last_order - avg_days_between_orders) / nullif(sd_days_between_orders, 0) as silence_z,
    cast(days_since_last_order as double) / age_days as silence_over_age,
    cast(recency_days as double) / age_days as recency_share,
    sd_days_between_orders / nullif(avg_days_between_orders, 0) as gap_cv,
    100e0 * (avg_last_3_days_between_orders / nullif(avg_days_between_orders, 0) - 1e0)
        as avg_order_interval_change_pct,
    cast(last_days_between_orders as double) / nullif(avg_days_between_orders, 0)
        as last_gap_over_avg_gap,
    cast(active_weeks_13_weeks as double) / least(13, floor((age_days + 6) / 7e0))
        as active_week_share_13_weeks,
    cast(active_weeks_26_weeks as double) / least(26, floor((age_days + 6) / 7e0))
        as active_week_share_26_weeks,
    cast(active_weeks_52_weeks as double) / least(52, floor((age_days + 6) / 7e0))
        as active_week_share_52_weeks,
    cast(sale_day_count_90_days as double) / least(90, age_days) as sale_day_share_90_days,
    cast(sale_day_count_365_days as double) / least(365, age_days) as sale_day_share_365_days,
    sd_order_value / nullif(sale_amount / order_count, 0) as order_value_cv,
    last_order_value * order_count / nullif(sale_amount, 0) as last_order_value_ratio,
    avg_last_3_order_value * order_count / nullif(sale_amount, 0) as last_3_order_value_ratio,
    last_day_amount / nullif(first_day_amount, 0) as last_over_first_day_amount,
    sale_amount / nullif(unit_count, 0) as avg_unit_price,
    cast(product_count as double) / order_count as products_per_order,
    cast(category_count as double) / order_count as categories_per_order,
    cast(category_count_90_days as double) / nullif(category_count_365_days, 0)
        as category_breadth_90_of_365_days,
    cast(order_count_next_30_days_year_ago as double) / nullif(order_count_365_days, 0)
        as order_share_next_30_days_year_ago,
    points_used / order_count as points_used_per_order,
    40e0 * greatest(0e0, 1e0 - days_since_last_order / 180e0)
    + 30e0 * active_weeks_13_weeks / 13e0
    + 20e0 * least(10, coalesce(category_count_90_days, product_count_90_days, 0)) / 10e0
    + 10e0 * (case when coalesce(movement_count_90_days, 0) > 0 then 1 else 0 end) as engagement_score,
    frequency = 0 as is_one_timer,
    movement_count is not null as is_loyalty_member,
    extract(month from cast(:as_of as date)) as as_of_month,
    extract(quarter from cast(:as_of as date)) as as_of_quarter,
    extract(day from cast(:as_of as date)) as as_of_month_day
from facts
order by customer_id

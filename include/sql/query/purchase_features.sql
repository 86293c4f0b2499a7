-- purchase_features: orders, spend and returns per customer, in windows up to as_of and over a lifetime.
-- Grain: customer_id. Params: :as_of (exclusive). A window of 30 days holds days_ago 1 to 30.

with days as (

    select
        customer_id,
        order_count,
        line_count,
        units,
        discount_amount,
        sale_amount,
        return_count,
        return_amount,
        net_amount,
        margin_amount,
        case when order_count > 0 then 1 else 0 end as sale_day,
        date_diff('day', order_date, cast(:as_of as date)) as days_ago
    from customer_days
    where order_date < :as_of

)

select
    customer_id,
    sum(case when days_ago <= 30 then order_count else 0 end) as order_count_30_days,
    sum(case when days_ago <= 30 then sale_day else 0 end) as sale_day_count_30_days,
    sum(case when days_ago <= 30 then line_count else 0 end) as line_count_30_days,
    sum(case when days_ago <= 30 then units else 0 end) as unit_count_30_days,
    sum(case when days_ago <= 30 then net_amount else 0 end) as total_spend_30_days,
    sum(case when days_ago <= 30 then discount_amount else 0 end) as discount_amount_30_days,
    sum(case when days_ago <= 30 then return_count else 0 end) as return_count_30_days,
    sum(case when days_ago <= 30 then return_amount else 0 end) as return_amount_30_days,
    sum(case when days_ago <= 60 then order_count else 0 end) as order_count_60_days,
    sum(case when days_ago <= 60 then sale_day else 0 end) as sale_day_count_60_days,
    sum(case when days_ago <= 60 then line_count else 0 end) as line_count_60_days,
    sum(case when days_ago <= 60 then units else 0 end) as unit_count_60_days,
    sum(case when days_ago <= 60 then net_amount else 0 end) as total_spend_60_days,
    sum(case when days_ago <= 60 then discount_amount else 0 end) as discount_amount_60_days,
    sum(case when days_ago <= 60 then return_count else 0 end) as return_count_60_days,
    sum(case when days_ago <= 60 then return_amount else 0 end) as return_amount_60_days,
    sum(case when days_ago <= 90 then order_count else 0 end) as order_count_90_days,
    sum(case when days_ago <= 90 then sale_day else 0 end) as sale_day_count_90_days,
    sum(case when days_ago <= 90 then line_count else 0 end) as line_count_90_days,
    sum(case when days_ago <= 90 then units else 0 end) as unit_count_90_days,
    sum(case when days_ago <= 90 then net_amount else 0 end) as total_spend_90_days,
    sum(case when days_ago <= 90 then discount_amount else 0 end) as discount_amount_90_days,
    sum(case when days_ago <= 90 then return_count else 0 end) as return_count_90_days,
    sum(case when days_ago <= 90 then return_amount else 0 end) as return_amount_90_days,
    sum(case when days_ago <= 180 then order_count else 0 end) as order_count_180_days,
    sum(case when days_ago <= 180 then sale_day else 0 end) as sale_day_count_180_days,
    sum(case when days_ago <= 180 then line_count else 0 end) as line_count_180_days,
    sum(case when days_ago <= 180 then units else 0 end) as unit_count_180_days,
    sum(case when days_ago <= 180 then net_amount else 0 end) as total_spend_180_days,
    sum(case when days_ago <= 180 then discount_amount else 0 end) as discount_amount_180_days,
    sum(case when days_ago <= 180 then return_count else 0 end) as return_count_180_days,
    sum(case when days_ago <= 180 then return_amount else 0 end) as return_amount_180_days,
    sum(case when days_ago <= 365 then order_count else 0 end) as order_count_365_days,
    sum(case when days_ago <= 365 then sale_day else 0 end) as sale_day_count_365_days,
    sum(case when days_ago <= 365 then line_count else 0 end) as line_count_365_days,
    sum(case when days_ago <= 365 then units else 0 end) as unit_count_365_days,
    sum(case when days_ago <= 365 then net_amount else 0 end) as total_spend_365_days,
    sum(case when days_ago <= 365 then discount_amount else 0 end) as discount_amount_365_days,
    sum(case when days_ago <= 365 then return_count else 0 end) as return_count_365_days,
    sum(case when days_ago <= 365 then return_amount else 0 end) as return_amount_365_days,
    sum(order_count) as order_count,
    sum(sale_day) as sale_day_count,
    sum(line_count) as line_count,
    sum(units) as unit_count,
    sum(net_amount) as total_spend,
    sum(discount_amount) as discount_amount,
    sum(return_count) as return_count,
    sum(return_amount) as return_amount,
    sum(sale_amount) as sale_amount,
    min(case when return_count > 0 then days_ago end) as days_since_last_return,
    sum(margin_amount) as total_margin,
    sum(case when days_ago between 31 and 60 then order_count else 0 end) as order_count_31_to_60_days,
    sum(case when days_ago between 31 and 60 then net_amount else 0 end) as total_spend_31_to_60_days,
    sum(case when days_ago between 61 and 90 then order_count else 0 end) as order_count_61_to_90_days,
    sum(case when days_ago between 61 and 90 then net_amount else 0 end) as total_spend_61_to_90_days,
    sum(case when days_ago between 91 and 120 then order_count else 0 end) as order_count_91_to_120_days,
    sum(case when days_ago between 91 and 120 then net_amount else 0 end) as total_spend_91_to_120_days,
    sum(case when days_ago between 121 and 150 then order_count else 0 end)
        as order_count_121_to_150_days,
    sum(case when days_ago between 121 and 150 then net_amount else 0 end) as total_spend_121_to_150_days,
    sum(case when days_ago between 151 and 180 then order_count else 0 end)
        as order_count_151_to_180_days,
    sum(case when days_ago between 151 and 180 then net_amount else 0 end) as total_spend_151_to_180_days,
    sum(case when days_ago between 336 and 365 then order_count else 0 end)
        as order_count_next_30_days_year_ago,
    sum(case when days_ago between 336 and 365 then net_amount else 0 end)
        as total_spend_next_30_days_year_ago,
    sum(case when days_ago between 276 and 365 then order_count else 0 end)
        as order_count_next_90_days_year_ago,
    sum(case when days_ago between 276 and 365 then net_amount else 0 end)
        as total_spend_next_90_days_year_ago
from days
group by customer_id
having sum(order_count) > 0
order by customer_id

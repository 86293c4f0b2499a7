-- order_features: orders per customer: value, size, discounts, channel, payment, time of day.
-- Grain: customer_id. Params: :as_of (exclusive), :timezone. An order is one sale transaction.

with order_lines as (

    select
        customer_id,
        transaction_id,
        order_date,
        occurred_at,
        quantity,
        gross_amount,
        discount_amount,
        net_amount,
        channel,
        payment_method,
        programme_id
    from transactions
    where
        order_date < :as_of
        and customer_id is not null
        and kind = 'sale'

),

orders as (

    select
        customer_id,
        transaction_id,
        sum(net_amount) as order_value,
        min(occurred_at) as occurred_at,
        min(channel) as channel,
        min(payment_method) as payment_method,
        min(programme_id) as programme_id,
        sum(quantity) as units,
        count(*) as line_count,
        count(case when discount_amount > 0 then 1 end) as discounted_line_count,
        date_diff('day', min(order_date), cast(:as_of as date)) as days_ago,
        cast(sum(discount_amount) as double)
        / nullif(cast(sum(gross_amount) as double), 0) as discount_rate
    from order_lines
    group by
        customer_id,
        transaction_id

),

ranked as (

    select
        customer_id,
        days_ago,
        order_value,
        discount_rate,
        units,
        line_count,
        discounted_line_count,
        channel,
        payment_method,
        programme_id,
        extract(hour from occurred_at at time zone :timezone) as hour_of_day,
        row_number() over (
            partition by customer_id
            order by occurred_at, transaction_id
        ) as order_number,
        row_number() over (
            partition by customer_id
            order by occurred_at desc, transaction_id desc
        ) as orders_from_last
    from orders

),

channel_orders as (

    select
        customer_id,
        channel,
        count(*) as order_count,
        max(case when orders_from_last = 1 then 1 else 0 end) as is_last
    from ranked
    where channel is not null
    group by
        customer_id,
        channel

),

channels as (

    select
        customer_id,
        count(*) as channel_count,
        cast(max(order_count) as double) / sum(order_count) as top_channel_share,
        cast(max(case when is_last = 1 then order_count end) as double)
        / sum(order_count) as last_channel_share
    from channel_orders
    group by customer_id

),

payment_orders as (

    select
        customer_id,
        payment_method,
        count(*) as order_count
    from ranked
    where payment_method is not null
    group by
        customer_id,
        payment_method

),

payments as (

    select
        customer_id,
        count(*) as payment_method_count,
        cast(max(order_count) as double) / sum(order_count) as top_payment_method_share
    from payment_orders
    group by customer_id

),

totals as (

    select
        customer_id,
        max(order_value) as max_order_value,
        min(order_value) as min_order_value,
        median(cast(order_value as double)) as median_order_value,
        case
            when count(*) > 1
                then sqrt(
                    greatest(
                        -- Exact as decimals; the squares of larger orders do not fit into 38 digits.
                        -- decimal(19): engines keep only 18 digits for a product of two decimal(18).
                        cast(
                            sum(
                                case
                                    when order_value < 1000000000000
                                        then
                                            try_cast(order_value as decimal(19, 4))
                                            * try_cast(order_value as decimal(18, 4))
                                    else 0
                                end
                            ) as double
                        )
                        + sum(
                            case
                                when order_value < 1000000000000 then 0.0
                                else cast(order_value as double) * cast(order_value as double)
                            end
                        )
                        - cast(sum(order_value) as double) * cast(sum(order_value) as double) / count(*),
                        0.0
                    ) / (count(*) - 1)
                )
        end as sd_order_value,
        max(case when order_number = 1 then order_value end) as first_order_value,
        max(case when orders_from_last = 1 then order_value end) as last_order_value,
        cast(sum(case when orders_from_last <= 3 then order_value else 0 end) as double)
        / count(case when orders_from_last <= 3 then 1 end) as avg_last_3_order_value,
        cast(sum(line_count) as double) / count(*) as avg_lines_per_order,
        max(line_count) as max_lines_per_order,
        max(case when orders_from_last = 1 then line_count end) as last_order_line_count,
        cast(sum(units) as double) / count(*) as avg_units_per_order,
        cast(count(case when line_count = 1 then 1 end) as double) / count(*) as single_line_order_share,
        cast(sum(discounted_line_count) as double) / sum(line_count) as discounted_line_share,
        cast(count(case when discounted_line_count > 0 then 1 end) as double)
        / count(*) as discounted_order_share,
        cast(count(case when discounted_line_count > 0 and days_ago <= 90 then 1 end) as double)
        / nullif(count(case when days_ago <= 90 then 1 end), 0) as discounted_order_share_90_days,
        max(discount_rate) as max_discount_rate,
        max(case when orders_from_last = 1 then discount_rate end) as last_discount_rate,
        count(distinct programme_id) as programme_count,
        cast(count(programme_id) as double) / count(*) as programme_order_share,
        cast(count(case when hour_of_day between 6 and 11 then 1 end) as double)
        / count(*) as morning_order_share,
        cast(count(case when hour_of_day between 12 and 16 then 1 end) as double)
        / count(*) as afternoon_order_share,
        cast(count(case when hour_of_day between 17 and 21 then 1 end) as double)
        / count(*) as evening_order_share,
        cast(count(case when hour_of_day >= 22 or hour_of_day < 6 then 1 end) as double)
        / count(*) as night_order_share
    from ranked
    group by customer_id

)

select
    totals.customer_id,
    totals.max_order_value,
    totals.min_order_value,
    totals.median_order_value,
    totals.sd_order_value,
    totals.first_order_value,
    totals.last_order_value,
    totals.avg_last_3_order_value,
    totals.avg_lines_per_order,
    totals.max_lines_per_order,
    totals.last_order_line_count,
    totals.avg_units_per_order,
    totals.single_line_order_share,
    totals.discounted_line_share,
    totals.discounted_order_share,
    totals.discounted_order_share_90_days,
    totals.max_discount_rate,
    totals.last_discount_rate,
    totals.programme_count,
    totals.programme_order_share,
    totals.morning_order_share,
    totals.afternoon_order_share,
    totals.evening_order_share,
    totals.night_order_share,
    channels.channel_count,
    channels.top_channel_share,
    channels.last_channel_share,
    payments.payment_method_count,
    payments.top_payment_method_share
from totals
left join channels on totals.customer_id = channels.customer_id
left join payments on totals.customer_id = payments.customer_id
order by totals.customer_id

-- customer_days: one row per identified customer and day with a sale or a return, before as_of.
-- Grain: customer_id, order_date. Params: :as_of (exclusive).

with lines as (

    select
        transaction_id,
        customer_id,
        order_date,
        kind,
        quantity,
        gross_amount,
        discount_amount,
        net_amount,
        margin_amount
    from transactions
    where
        customer_id is not null
        and order_date < :as_of

),

-- An order that spans midnight counts once, on the day of its first line.
first_days as (

    select
        customer_id,
        transaction_id,
        kind,
        min(order_date) as order_date
    from lines
    group by
        customer_id,
        transaction_id,
        kind

),

transactions_by_day as (

    select
        customer_id,
        order_date,
        sum(case when kind = 'sale' then 1 else 0 end) as order_count,
        sum(case when kind = 'return' then 1 else 0 end) as return_count
    from first_days
    group by
        customer_id,
        order_date

),

amounts_by_day as (

    select
        customer_id,
        order_date,
        sum(case when kind = 'sale' then 1 else 0 end) as line_count,
        sum(case when kind = 'sale' then quantity else 0 end) as units,
        sum(case when kind = 'sale' then gross_amount else 0 end) as gross_amount,
        sum(case when kind = 'sale' then discount_amount else 0 end) as discount_amount,
        sum(case when kind = 'sale' then net_amount else 0 end) as sale_amount,
        sum(case when kind = 'return' then net_amount else 0 end) as return_amount,
        sum(case when kind = 'sale' then net_amount else -net_amount end) as net_amount,
        sum(case when kind = 'sale' then margin_amount else -margin_amount end) as margin_amount
    from lines
    group by
        customer_id,
        order_date

),

days as (

    select
        amounts_by_day.customer_id,
        amounts_by_day.order_date,
        amounts_by_day.line_count,
        amounts_by_day.units,
        amounts_by_day.gross_amount,
        amounts_by_day.discount_amount,
        amounts_by_day.sale_amount,
        amounts_by_day.return_amount,
        amounts_by_day.net_amount,
        amounts_by_day.margin_amount,
        coalesce(transactions_by_day.order_count, 0) as order_count,
        coalesce(transactions_by_day.return_count, 0) as return_count
    from amounts_by_day
    left join transactions_by_day
        on
            amounts_by_day.customer_id = transactions_by_day.customer_id
            and amounts_by_day.order_date = transactions_by_day.order_date

)

select
    customer_id,
    order_date,
    order_count,
    line_count,
    units,
    gross_amount,
    discount_amount,
    sale_amount,
    return_count,
    return_amount,
    net_amount,
    margin_amount
from days
order by
    customer_id,
    order_date

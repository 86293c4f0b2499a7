-- transactions: one row per line of an order or a return, unusable ones with their reason.
-- Grain: transaction_id, line_id, kind.
-- Params: :month_start, :month_end, :as_of_start (instants; ends are exclusive), :earliest, :latest,
-- :timezone, :takes_undated (this month also yields lines without a usable date).

with known_orders as (

    select
        order_id,
        customer_id,
        status,
        channel,
        payment_method,
        programme_id,
        cast(ordered_at as text) as written_at,
        case when ordered_at >= :earliest and ordered_at < :latest then ordered_at end as ordered_at
    from orders
    where
        (ordered_at >= :month_start and ordered_at < :month_end and ordered_at < :as_of_start)
        or (:takes_undated and (ordered_at is null or ordered_at < :earliest or ordered_at >= :latest))

),

known_returns as (

    select
        return_id,
        customer_id,
        channel,
        payment_method,
        programme_id,
        cast(returned_at as text) as written_at,
        case when returned_at >= :earliest and returned_at < :latest then returned_at end as returned_at
    from returns
    where
        (returned_at >= :month_start and returned_at < :month_end and returned_at < :as_of_start)
        or (:takes_undated and (returned_at is null or returned_at < :earliest or returned_at >= :latest))

),

sale_lines as (

    select
        known_orders.order_id as transaction_id,
        order_lines.line_no as line_id,
        'sale' as kind,
        known_orders.ordered_at as occurred_at,
        known_orders.customer_id,
        order_lines.product_id,
        order_lines.quantity,
        order_lines.gross_amount,
        order_lines.discount_amount,
        order_lines.cost_amount,
        known_orders.channel,
        known_orders.payment_method,
        known_orders.programme_id,
        known_orders.written_at,
        case
            when known_orders.status = 'cancelled' then 'cancelled_order'
            when known_orders.ordered_at is null then 'bad_date'
        end as fault
    from known_orders
    inner join order_lines
        on known_orders.order_id = order_lines.order_id

),

return_lines_known as (

    select
        known_returns.return_id as transaction_id,
        return_lines.line_no as line_id,
        'return' as kind,
        known_returns.returned_at as occurred_at,
        known_returns.customer_id,
        return_lines.product_id,
        return_lines.quantity,
        return_lines.refund_amount as gross_amount,
        0 as discount_amount,
        return_lines.cost_amount,
        known_returns.channel,
        known_returns.payment_method,
        known_returns.programme_id,
        known_returns.written_at,
        case when known_returns.returned_at is null then 'bad_date' end as fault
    from known_returns
    inner join return_lines
        on known_returns.return_id = return_lines.return_id

),

orphan_sale_lines as (

    select
        order_lines.order_id as transaction_id,
        order_lines.line_no as line_id,
        'sale' as kind,
        cast(null as timestamp with time zone) as occurred_at,
        cast(null as text) as customer_id,
        order_lines.product_id,
        order_lines.quantity,
        order_lines.gross_amount,
        order_lines.discount_amount,
        order_lines.cost_amount,
        cast(null as text) as channel,
        cast(null as text) as payment_method,
        cast(null as text) as programme_id,
        cast(null as text) as written_at,
        'missing_order' as fault
    from order_lines
    where
        :takes_undated
        and not exists (
            select 1 from orders
            where orders.order_id = order_lines.order_id
        )

),

orphan_return_lines as (

    select
        return_lines.return_id as transaction_id,
        return_lines.line_no as line_id,
        'return' as kind,
        cast(null as timestamp with time zone) as occurred_at,
        cast(null as text) as customer_id,
        return_lines.product_id,
        return_lines.quantity,
        return_lines.refund_amount as gross_amount,
        0 as discount_amount,
        return_lines.cost_amount,
        cast(null as text) as channel,
        cast(null as text) as payment_method,
        cast(null as text) as programme_id,
        cast(null as text) as written_at,
        'missing_return' as fault
    from return_lines
    where
        :takes_undated
        and not exists (
            select 1 from returns
            where returns.return_id = return_lines.return_id
        )

),

lines as (

    select * from sale_lines
    union all
    select * from return_lines_known
    union all
    select * from orphan_sale_lines
    union all
    select * from orphan_return_lines

),

-- NaN is greater than every number, so the range test rejects it, like infinity.
judged as (

    select
        lines.*,
        case
            when lines.fault is not null then lines.fault
            when coalesce(cast(lines.transaction_id as text), '') = '' then 'missing_id'
            when coalesce(cast(lines.line_id as text), '') = '' then 'missing_id'
            when
                lines.quantity is null or lines.gross_amount is null or lines.discount_amount is null
                then 'missing_number'
            when
                not (
                    abs(lines.quantity) < 1e14
                    and abs(lines.gross_amount) < 1e14
                    and abs(lines.discount_amount) < 1e14
                    and abs(coalesce(lines.cost_amount, 0)) < 1e14
                )
                then 'bad_number'
            when lines.quantity < 0 then 'negative_quantity'
            when lines.gross_amount < 0 or lines.discount_amount < 0 then 'negative_amount'
            when lines.discount_amount > lines.gross_amount then 'discount_over_gross'
        end as rejected_reason,
        round(lines.gross_amount, 4) - round(lines.discount_amount, 4) as net_amount
    from lines

)

select
    cast(judged.transaction_id as text) as transaction_id,
    cast(judged.line_id as text) as line_id,
    judged.kind,
    judged.occurred_at,
    cast(judged.occurred_at at time zone :timezone as date) as order_date,
    judged.rejected_reason,
    nullif(cast(judged.customer_id as text), '') as customer_id,
    nullif(cast(judged.product_id as text), '') as product_id,
    case when abs(judged.quantity) < 1e14 then cast(round(judged.quantity, 4) as text) end as quantity,
    case
        when abs(judged.gross_amount) < 1e14 then cast(round(judged.gross_amount, 4) as text)
    end as gross_amount,
    case
        when abs(judged.discount_amount) < 1e14 then cast(round(judged.discount_amount, 4) as text)
    end as discount_amount,
    case when abs(judged.net_amount) < 1e14 then cast(judged.net_amount as text) end as net_amount,
    case
        when abs(judged.cost_amount) < 1e14 and abs(judged.net_amount) < 1e14
            then cast(judged.net_amount - round(judged.cost_amount, 4) as text)
    end as margin_amount,
    nullif(judged.channel, '') as channel,
    nullif(judged.payment_method, '') as payment_method,
    nullif(cast(judged.programme_id as text), '') as programme_id,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

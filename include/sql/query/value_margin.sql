-- value_margin: margin of the firm's sales in the last year, and the net amount with a known margin.
-- Grain: one row. Params: :as_of (exclusive).

with lines as (

    select
        case when kind = 'sale' then net_amount else -net_amount end as net_amount,
        case when kind = 'sale' then margin_amount else -margin_amount end as margin_amount
    from transactions
    where
        order_date < :as_of
        and order_date >= cast(:as_of as date) - 365

)

select
    cast(sum(net_amount) as double) as net_amount,
    cast(sum(case when margin_amount is not null then net_amount else 0 end) as double) as known_amount,
    cast(sum(margin_amount) as double) as margin_amount
from lines

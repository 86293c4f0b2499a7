-- value_holdout: orders and net spend per customer from a cutoff on, and the spend of later windows.
-- A later window has the same length and starts 30, 60 or 90 days after the cutoff.
-- Grain: customer_id. Params: :as_of (the cutoff), :until (exclusive).

select
    customer_id,
    coalesce(sum(order_count) filter (where order_date < :until), 0) as holdout_orders,
    coalesce(sum(net_amount) filter (where order_date < :until), 0) as holdout_spend,
    coalesce(
        sum(net_amount) filter (where order_date >= :as_of + 30 and order_date < :until + 30), 0
    ) as spend_30_days_later,
    coalesce(
        sum(net_amount) filter (where order_date >= :as_of + 60 and order_date < :until + 60), 0
    ) as spend_60_days_later,
    coalesce(
        sum(net_amount) filter (where order_date >= :as_of + 90 and order_date < :until + 90), 0
    ) as spend_90_days_later
from customer_days
where
    order_date >= :as_of
    and order_date < :until + 90
group by customer_id
order by customer_id

-- value_holdout: orders and net spend per customer from a cutoff on.
-- Grain: customer_id. Params: :as_of (the cutoff), :until (exclusive).

select
    customer_id,
    sum(order_count) as holdout_orders,
    sum(net_amount) as holdout_spend
from customer_days
where
    order_date >= :as_of
    and order_date < :until
group by customer_id
order by customer_id

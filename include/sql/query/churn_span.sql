-- churn_span: how far back a firm's sales go, and how many customers they are of. One row.
-- Params: :as_of (exclusive).

select
    min(order_date) as first_day,
    count(distinct customer_id) as customers
from customer_days
where
    order_date < :as_of
    and order_count > 0

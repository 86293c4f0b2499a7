-- churn_span: first sale day of a firm and its number of customers. One row.
-- Params: :as_of (exclusive).

select
    min(order_date) as first_day,
    count(distinct customer_id) as customers
from customer_days
where
    order_date < :as_of
    and order_count > 0

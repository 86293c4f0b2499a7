-- sample_customer_days: customer_days of a sample of customers, before as_of.
-- Grain (unordered): customer_id, order_date. Params: :as_of, :below (exclusive hash bound; 'g': all).

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
from customer_days
where
    order_date < :as_of
    and substr(md5(customer_id), 1, 4) < :below

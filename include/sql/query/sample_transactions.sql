-- sample_transactions: transactions of a sample of customers, before as_of.
-- Grain (unordered): transaction_id, line_id, kind. Params: :as_of, :below (exclusive hash bound; 'g': all).

select
    transaction_id,
    line_id,
    kind,
    occurred_at,
    order_date,
    customer_id,
    product_id,
    quantity,
    gross_amount,
    discount_amount,
    net_amount,
    margin_amount,
    channel,
    payment_method,
    programme_id
from transactions
where
    order_date < :as_of
    and substr(md5(customer_id), 1, 4) < :below

-- sample_loyalty_movements: loyalty_movements of a sample of customers, before as_of.
-- Grain (unordered): movement_id. Params: :as_of, :below (exclusive hash bound; 'g': all).

select
    movement_id,
    occurred_at,
    order_date,
    customer_id,
    programme_id,
    transaction_id,
    points_earned,
    points_used
from loyalty_movements
where
    order_date < :as_of
    and substr(md5(customer_id), 1, 4) < :below

-- customer_next: the products that one customer is likely to buy next, and why.
-- Grain: product_rank. Params: :firm_key, :as_of, :customer_id.

select
    shown.product_rank,
    shown.product_id,
    shown.product_name,
    shown.category,
    shown.kind,
    shown.purchase_probability,
    shown.reason,
    shown.purchase_days,
    shown.last_purchase_date,
    shown.due_date
from mart.customer_next_product(:firm_key, :as_of) as shown
where shown.customer_id = :customer_id
order by shown.product_rank;

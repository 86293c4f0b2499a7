-- next_products: the products that are suggested to most customers, with the mean chance of a purchase.
-- Grain: product_id. Params: :firm_key, :as_of; :page_rows (null: all).

select
    shown.product_id,
    shown.product_name,
    shown.category,
    count(*) as customer_count,
    count(*) filter (where shown.product_rank = 1) as first_for_customers,
    avg(shown.purchase_probability) as avg_purchase_probability,
    count(*) filter (where shown.kind = 'repeat') as repeat_customer_count,
    min(shown.due_date) as first_due_date
from mart.customer_next_product(:firm_key, :as_of) as shown
group by
    shown.product_id,
    shown.product_name,
    shown.category
order by
    count(*) desc,
    shown.product_id asc
limit :page_rows;

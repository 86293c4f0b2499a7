-- next_product_evidence: how many products, customers and repeat customers the sales of known products have.
-- Grain: one row. Params: :as_of (exclusive).

with products as (

    select
        product_id,
        min(order_date) as first_date
    from transactions
    where
        kind = 'sale'
        and product_id is not null
        and order_date < :as_of
    group by product_id

),

customers as (

    select
        customer_id,
        case when min(order_date) < max(order_date) then 1 else 0 end as is_repeat
    from transactions
    where
        kind = 'sale'
        and product_id is not null
        and customer_id is not null
        and order_date < :as_of
    group by customer_id

),

product_counts as (

    select
        count(*) as product_count,
        coalesce(max(cast(:as_of as date) - first_date), 0) as history_days
    from products

),

customer_counts as (

    select
        count(*) as customer_count,
        coalesce(sum(is_repeat), 0) as repeat_customer_count
    from customers

)

select
    product_counts.product_count,
    customer_counts.customer_count,
    cast(customer_counts.repeat_customer_count as bigint) as repeat_customer_count,
    product_counts.history_days
from product_counts
cross join customer_counts

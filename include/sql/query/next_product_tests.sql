-- next_product_tests: the candidates of the past cutoffs, with what was bought next.
-- Grain: cutoff, customer_id, product_id.

select
    cutoff,
    customer_id,
    product_id,
    kind,
    purchase_days,
    order_days,
    first_purchase_date,
    last_purchase_date,
    together_share,
    because_product_id,
    popularity,
    is_bought_next,
    is_popular_bought_next
from next_product_candidates
where is_bought_next is not null
order by
    cutoff,
    customer_id,
    product_id

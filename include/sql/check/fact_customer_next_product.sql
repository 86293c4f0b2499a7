-- fact_customer_next_product: missing suggestions (unknown customers or products), ranks that do not begin
-- at 1, chances that rise with the rank, and a repeat that the customer never bought.
-- Params: :firm_sk, :as_of.

with loaded as (

    select
        fact_customer_next_product.customer_sk,
        fact_customer_next_product.product_rank,
        fact_customer_next_product.kind,
        fact_customer_next_product.purchase_days,
        fact_customer_next_product.purchase_probability,
        lag(fact_customer_next_product.purchase_probability) over (
            partition by fact_customer_next_product.customer_sk
            order by fact_customer_next_product.product_rank asc
        ) as probability_before
    from analytics.fact_customer_next_product
    where
        fact_customer_next_product.firm_sk = :firm_sk
        and fact_customer_next_product.as_of = :as_of

),

staged as (

    select
        stg_next_products.customer_id,
        stg_next_products.product_id
    from pg_temp.stg_next_products
    left join analytics.dim_customer
        on
            dim_customer.firm_sk = :firm_sk
            and stg_next_products.customer_id = dim_customer.customer_id
    left join analytics.dim_product
        on
            dim_product.firm_sk = :firm_sk
            and stg_next_products.product_id = dim_product.product_id
    where
        dim_customer.customer_sk is null
        or dim_product.product_sk is null

)

select
    'suggestion of an unknown customer or product' as fault,
    'customer ' || staged.customer_id || ', product ' || staged.product_id as sample
from staged

union all

select
    'ranks do not begin at 1, or the chance rises with the rank' as fault,
    'customer_sk ' || loaded.customer_sk || ', rank ' || loaded.product_rank as sample
from loaded
where
    (loaded.probability_before is null and loaded.product_rank <> 1)
    or loaded.probability_before < loaded.purchase_probability

union all

select
    'a repeat without a purchase, or a new product with one' as fault,
    'customer_sk ' || loaded.customer_sk || ', rank ' || loaded.product_rank as sample
from loaded
where (loaded.kind = 'repeat') <> (loaded.purchase_days > 0);

-- dim_product: staged products that are blank, missing from the table or have a negative cost.
-- Params: :firm_sk.

select
    'blank product_id' as fault,
    to_json(stg_products.product_id)::text as sample
from pg_temp.stg_products
where btrim(stg_products.product_id) = ''

union all

select
    'negative unit_cost' as fault,
    stg_products.product_id as sample
from pg_temp.stg_products
where stg_products.unit_cost < 0

union all

select
    'product missing from dim_product' as fault,
    stg_products.product_id as sample
from pg_temp.stg_products
left join analytics.dim_product
    on
        dim_product.firm_sk = :firm_sk
        and stg_products.product_id = dim_product.product_id
where dim_product.product_sk is null;

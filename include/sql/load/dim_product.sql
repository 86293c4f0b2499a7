-- dim_product: one row per product of a firm, with the attributes of the latest snapshot that has it.
-- Grain: product_id. Params: :firm_sk, :as_of.

insert into analytics.dim_product (
    firm_sk, product_id, product_name, department, category, brand, unit_cost, as_of
)
select
    :firm_sk as firm_sk,
    stg_products.product_id,
    stg_products.product_name,
    stg_products.department,
    stg_products.category,
    stg_products.brand,
    stg_products.unit_cost,
    :as_of as as_of
from pg_temp.stg_products
left join analytics.dim_product
    on
        dim_product.firm_sk = :firm_sk
        and stg_products.product_id = dim_product.product_id
where dim_product.product_sk is null
order by stg_products.product_id
on conflict (firm_sk, product_id) do nothing;

update analytics.dim_product
set
    product_name = stg_products.product_name,
    department = stg_products.department,
    category = stg_products.category,
    brand = stg_products.brand,
    unit_cost = stg_products.unit_cost,
    as_of = :as_of
from pg_temp.stg_products
where
    dim_product.firm_sk = :firm_sk
    and dim_product.product_id = stg_products.product_id
    and (dim_product.as_of is null or dim_product.as_of <= :as_of)
    and (
        dim_product.as_of,
        dim_product.product_name,
        dim_product.department,
        dim_product.category,
        dim_product.brand,
        dim_product.unit_cost
    ) is distinct from (
        :as_of,
        stg_products.product_name,
        stg_products.department,
        stg_products.category,
        stg_products.brand,
        stg_products.unit_cost
    );

-- fact_customer_next_product: replaces one snapshot of a firm.
-- Grain: customer_sk, product_rank, as_of. Params: :firm_sk, :as_of, :manifest_token.

delete from analytics.fact_customer_next_product
where
    fact_customer_next_product.firm_sk = :firm_sk
    and fact_customer_next_product.as_of = :as_of;

insert into analytics.fact_customer_next_product (
    firm_sk,
    as_of,
    date_sk,
    customer_sk,
    product_sk,
    because_product_sk,
    manifest_token
    /*, every column of next_products but customer_id, product_id, because_product_id */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_product.product_sk,
    because_product.product_sk as because_product_sk,
    :manifest_token as manifest_token
    /*, the same columns of stg_next_products */
from pg_temp.stg_next_products
inner join analytics.dim_date on dim_date.date_actual = :as_of
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_next_products.customer_id = dim_customer.customer_id
inner join analytics.dim_product
    on
        dim_product.firm_sk = :firm_sk
        and stg_next_products.product_id = dim_product.product_id
left join analytics.dim_product as because_product
    on
        because_product.firm_sk = :firm_sk
        and stg_next_products.because_product_id = because_product.product_id;

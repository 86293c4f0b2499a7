-- fact_next_product_test: replaces the row of one snapshot of a firm.
-- Grain: as_of. Params: :firm_sk, :as_of, :manifest_token.

delete from analytics.fact_next_product_test
where
    fact_next_product_test.firm_sk = :firm_sk
    and fact_next_product_test.as_of = :as_of;

insert into analytics.fact_next_product_test (
    firm_sk,
    as_of,
    date_sk,
    manifest_token
    /*, every column of next_product_model */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    :manifest_token as manifest_token
    /*, the same columns of stg_next_product_model */
from pg_temp.stg_next_product_model
inner join analytics.dim_date on dim_date.date_actual = :as_of;

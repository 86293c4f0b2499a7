-- fact_action: replaces one snapshot of a firm.
-- Grain: customer_sk, as_of. Params: :firm_sk, :as_of, :manifest_token.

delete from analytics.fact_action
where
    fact_action.firm_sk = :firm_sk
    and fact_action.as_of = :as_of;

insert into analytics.fact_action (
    firm_sk,
    as_of,
    date_sk,
    customer_sk,
    manifest_token
    /*, every column of actions but customer_id */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    :manifest_token as manifest_token
    /*, the same columns of stg_actions */
from pg_temp.stg_actions
inner join analytics.dim_date on dim_date.date_actual = :as_of
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_actions.customer_id = dim_customer.customer_id;

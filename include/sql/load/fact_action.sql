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
    action_code,
    cost_amount,
    expected_benefit_amount,
    roi,
    is_holdout,
    is_chosen,
    explanation,
    manifest_token
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    stg_actions.action_code,
    stg_actions.cost_amount,
    stg_actions.expected_benefit_amount,
    stg_actions.roi,
    stg_actions.is_holdout,
    stg_actions.is_chosen,
    stg_actions.explanation,
    :manifest_token as manifest_token
from pg_temp.stg_actions
inner join analytics.dim_date on dim_date.date_actual = :as_of
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_actions.customer_id = dim_customer.customer_id;

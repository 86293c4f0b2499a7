-- fact_action: missing actions (unknown customers), and actions that cost more than their expected benefit.
-- Params: :firm_sk, :as_of.

select
    'action missing from fact_action' as fault,
    'customer ' || stg_actions.customer_id as sample
from pg_temp.stg_actions
left join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_actions.customer_id = dim_customer.customer_id
left join analytics.fact_action
    on
        fact_action.firm_sk = :firm_sk
        and fact_action.as_of = :as_of
        and dim_customer.customer_sk = fact_action.customer_sk
where fact_action.customer_sk is null

union all

select
    'action costs more than its expected benefit' as fault,
    'customer_sk ' || fact_action.customer_sk as sample
from analytics.fact_action
where
    fact_action.firm_sk = :firm_sk
    and fact_action.as_of = :as_of
    and fact_action.cost_amount > fact_action.expected_benefit_amount;

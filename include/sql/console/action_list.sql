-- action_list: one page of the customers of a plan, by expected benefit (keyset paging).
-- Grain: customer_id. Params: :firm_key, :as_of; :action_code (may be null); :after_key, :after_id (null for
-- the first page); :page_rows.

select
    dim_customer.customer_id,
    fact_action.action_code,
    fact_action.cost_amount,
    fact_action.expected_benefit_amount,
    fact_action.roi,
    fact_action.is_chosen,
    fact_action.is_holdout,
    fact_action.explanation,
    coalesce(fact_action.expected_benefit_amount, 0) as sort_key
from analytics.dim_firm
inner join analytics.fact_action on dim_firm.firm_sk = fact_action.firm_sk
inner join analytics.dim_customer
    on
        fact_action.firm_sk = dim_customer.firm_sk
        and fact_action.customer_sk = dim_customer.customer_sk
where
    dim_firm.firm_key = :firm_key
    and fact_action.as_of = :as_of
    and fact_action.is_chosen
    and (cast(:action_code as text) is null or fact_action.action_code = :action_code)
    and (
        cast(:after_id as text) is null
        or cast(:after_key as numeric) > coalesce(fact_action.expected_benefit_amount, 0)
        or (
            coalesce(fact_action.expected_benefit_amount, 0) = cast(:after_key as numeric)
            and :after_id < dim_customer.customer_id
        )
    )
order by
    coalesce(fact_action.expected_benefit_amount, 0) desc,
    dim_customer.customer_id asc
limit :page_rows;

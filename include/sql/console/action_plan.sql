-- action_plan: customers, cost, expected benefit and holdout of each action, at the firm's latest plan.
-- Grain: action_code. Params: :firm_key.

select
    shown.as_of,
    shown.action_code,
    shown.customers_proposed,
    shown.customers_chosen,
    shown.customers_held_out,
    shown.planned_cost,
    shown.planned_benefit,
    shown.detectable_spend
from mart.vw_action_plan as shown
where shown.firm_key = :firm_key
order by
    shown.planned_benefit desc,
    shown.action_code asc;

-- vw_action_plan: customers, cost, expected benefit and holdout of each action.
-- Grain: firm_key, action_code, at each firm's latest snapshot.

create or replace view mart.vw_action_plan
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    fact_action.action_code,
    count(*) filter (where fact_action.exclusion is null) as customers_proposed,
    count(*) filter (where fact_action.is_chosen) as customers_chosen,
    count(*) filter (where fact_action.is_holdout) as customers_held_out,
    coalesce(sum(fact_action.cost_amount) filter (where fact_action.is_chosen), 0) as planned_cost,
    coalesce(
        sum(fact_action.expected_benefit_amount) filter (where fact_action.is_chosen), 0
    ) as planned_benefit,
    -- 2.8016 is the sum of the normal quantiles of 0.975 and 0.8.
    round(
        cast(
            2.8016 * stddev_samp(fact_customer_rfm.total_spend_90_days)
            * sqrt(
                1.0 / nullif(count(*) filter (where fact_action.is_chosen), 0)
                + 1.0 / nullif(count(*) filter (where fact_action.is_holdout), 0)
            ) as numeric
        ),
        2
    ) as detectable_spend,
    count(*) filter (where fact_action.exclusion = 'unsubscribed') as customers_unsubscribed,
    count(*) filter (where fact_action.exclusion = 'consent_unknown') as customers_without_consent,
    count(*) filter (where fact_action.exclusion = 'recently_contacted') as customers_contacted,
    count(*) filter (where fact_action.exclusion = 'assigned_elsewhere') as customers_assigned,
    count(*) filter (where fact_action.arm = 'business_as_usual') as customers_as_usual,
    count(*) filter (where fact_action.is_chosen and fact_action.decided_date = fact_action.as_of)
        as customers_decided_today,
    max(fact_action.expected_lift) as expected_lift,
    max(fact_action.lift_error) as lift_error
from mart.vw_latest_snapshot
inner join analytics.fact_action
    on
        vw_latest_snapshot.firm_sk = fact_action.firm_sk
        and vw_latest_snapshot.as_of = fact_action.as_of
left join analytics.fact_customer_rfm
    on
        fact_action.firm_sk = fact_customer_rfm.firm_sk
        and fact_action.as_of = fact_customer_rfm.as_of
        and fact_action.customer_sk = fact_customer_rfm.customer_sk
where vw_latest_snapshot.fact_name = 'fact_action'
group by
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    fact_action.action_code;

comment on view mart.vw_action_plan is 'One row per firm and action, at the firm''s latest snapshot.';
comment on column mart.vw_action_plan.customers_proposed is
'Customers for whom this action has the highest expected net benefit, and who may be contacted.';
comment on column mart.vw_action_plan.customers_unsubscribed is
'Customers whom the rule fits and who may not be contacted: unsubscribed, or the source says no.';
comment on column mart.vw_action_plan.customers_without_consent is
'The same, because their consent is unknown and the firm requires it (actions.require_consent).';
comment on column mart.vw_action_plan.customers_contacted is
'The same, because of a campaign message in the last actions.contact_gap_days days.';
comment on column mart.vw_action_plan.customers_assigned is
'The same, because they were assigned outside the plan in this quarter.';
comment on column mart.vw_action_plan.customers_as_usual is
'Proposed customers drawn for business as usual: the firm does what it would do without the plan.';
comment on column mart.vw_action_plan.customers_decided_today is
'Chosen customers whose action was decided at this snapshot; the others were decided earlier in the quarter.';
comment on column mart.vw_action_plan.expected_lift is
'Share of the yearly margin that the action is expected to add, by its latest decisions.';
comment on column mart.vw_action_plan.lift_error is
'Standard error of expected_lift; null: an assumption that was never measured.';
comment on column mart.vw_action_plan.customers_chosen is
'Proposed customers chosen within the budget of the quarter, also on earlier days of it.';
comment on column mart.vw_action_plan.customers_held_out is 'Proposed customers drawn for the holdout.';
comment on column mart.vw_action_plan.planned_cost is 'Cost of the action for the chosen customers.';
comment on column mart.vw_action_plan.planned_benefit is
'Expected additional margin in a year; lift_error says whether it was measured.';
comment on column mart.vw_action_plan.detectable_spend is
'Least effect on net spend of 90 days per customer that a holdout of this size shows with a power of 80 %.';

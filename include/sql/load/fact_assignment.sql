-- fact_assignment: replaces whole months of a firm by the staged assignments.
-- Grain: assignment_id. Params: :firm_sk, :months.

select analytics.add_customers(
    :firm_sk,
    array(select distinct stg_assignments.customer_id from pg_temp.stg_assignments)
) as added;

select analytics.add_campaigns(
    :firm_sk,
    array(select distinct stg_assignments.campaign_id from pg_temp.stg_assignments)
) as added;

delete from analytics.fact_assignment
using unnest(:months) as replaced (month_start)
where
    fact_assignment.firm_sk = :firm_sk
    and fact_assignment.order_date >= replaced.month_start
    and fact_assignment.order_date < (replaced.month_start + interval '1 month')::date;

insert into analytics.fact_assignment (
    firm_sk,
    order_date,
    date_sk,
    customer_sk,
    campaign_sk,
    assignment_id,
    action_code,
    occurred_at,
    is_control,
    control_share,
    cost_amount
)
select
    :firm_sk as firm_sk,
    stg_assignments.order_date,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_campaign.campaign_sk,
    stg_assignments.assignment_id,
    stg_assignments.action_code,
    stg_assignments.occurred_at,
    stg_assignments.is_control,
    stg_assignments.control_share,
    stg_assignments.cost_amount
from pg_temp.stg_assignments
inner join analytics.dim_date on stg_assignments.order_date = dim_date.date_actual
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_assignments.customer_id = dim_customer.customer_id
left join analytics.dim_campaign
    on
        dim_campaign.firm_sk = :firm_sk
        and stg_assignments.campaign_id = dim_campaign.campaign_id
where date_trunc('month', stg_assignments.order_date)::date = any(:months);

-- vw_customer_profitability: margin, costs and ratio of value to acquisition cost of each customer.
-- Grain: firm_key, customer_id. The function takes any as_of, the view each firm's latest.
-- Acquisition cost is that of the same snapshot's leads. Service is inquiries, complaints, tickets, feedback
-- before as_of, at the event's cost or else its channel's. An unknown cost is null and not deducted.

create or replace function mart.customer_profitability(firm text, as_of date)
returns table (
    customer_id text,
    clv_segment text,
    value_tier text,
    total_historical_revenue numeric,
    total_historical_profit numeric,
    avg_margin_percentage double precision,
    acquisition_cost numeric,
    total_service_cost numeric,
    net_customer_value numeric,
    predicted_clv_lifetime numeric,
    clv_to_cac_ratio numeric,
    has_paid_back boolean
)
language sql
stable
as $$
with service as (

    select
        fact_interaction.customer_sk,
        sum(
            coalesce(
                fact_interaction.cost_amount,
                dim_interaction_channel.cost_per_interaction * coalesce(fact_interaction.event_count, 1)
            )
        ) as cost
    from analytics.dim_firm
    inner join analytics.fact_interaction on dim_firm.firm_sk = fact_interaction.firm_sk
    inner join analytics.dim_interaction_channel
        on fact_interaction.channel_sk = dim_interaction_channel.channel_sk
    where
        dim_firm.firm_key = customer_profitability.firm
        and fact_interaction.order_date < customer_profitability.as_of
        and fact_interaction.activity_type in ('inquiry', 'complaint', 'ticket', 'feedback')
    group by fact_interaction.customer_sk

),

acquired as (

    select
        fact_customer_acquisition.customer_sk,
        fact_customer_acquisition.acquisition_cost
    from analytics.dim_firm
    inner join analytics.fact_customer_acquisition on dim_firm.firm_sk = fact_customer_acquisition.firm_sk
    where
        dim_firm.firm_key = customer_profitability.firm
        and fact_customer_acquisition.as_of = customer_profitability.as_of
        and fact_customer_acquisition.is_acquisition

)

select
    dim_customer.customer_id,
    fact_customer_ltv.clv_segment,
    dim_customer_tier.tier_name as value_tier,
    fact_customer_ltv.total_historical_revenue,
    fact_customer_ltv.total_historical_profit,
    fact_customer_ltv.avg_margin_percentage,
    acquired.acquisition_cost,
    service.cost as total_service_cost,
    fact_customer_ltv.total_historical_profit
    - coalesce(acquired.acquisition_cost, 0) - coalesce(service.cost, 0) as net_customer_value,
    fact_customer_ltv.predicted_clv_lifetime,
    round(
        (fact_customer_ltv.total_historical_profit + fact_customer_ltv.predicted_clv_lifetime)
        / nullif(acquired.acquisition_cost, 0),
        2
    ) as clv_to_cac_ratio,
    fact_customer_ltv.total_historical_profit >= acquired.acquisition_cost as has_paid_back
from analytics.dim_firm
inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
inner join analytics.dim_customer on fact_customer_ltv.customer_sk = dim_customer.customer_sk
left join analytics.dim_customer_tier on fact_customer_ltv.tier_sk = dim_customer_tier.tier_sk
left join acquired on fact_customer_ltv.customer_sk = acquired.customer_sk
left join service on fact_customer_ltv.customer_sk = service.customer_sk
where
    dim_firm.firm_key = customer_profitability.firm
    and fact_customer_ltv.as_of = customer_profitability.as_of
$$;

create or replace view mart.vw_customer_profitability
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    profit.*
from mart.vw_latest_snapshot
cross join
    lateral mart.customer_profitability(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as profit
where vw_latest_snapshot.fact_name = 'fact_customer_ltv';

comment on function mart.customer_profitability is 'vw_customer_profitability of one firm at any as_of.';
comment on view mart.vw_customer_profitability is
'One row per customer with a value: margin to date, costs, net value, ratio to acquisition cost.';
comment on column mart.vw_customer_profitability.value_tier is 'Tier by predicted value within the firm.';
comment on column mart.vw_customer_profitability.acquisition_cost is
'Marketing and sales cost of the customer''s leads; null if unknown.';
comment on column mart.vw_customer_profitability.total_service_cost is
'Cost of the customer''s service events before as_of; null if no cost is known.';
comment on column mart.vw_customer_profitability.net_customer_value is
'Margin to date less known costs.';
comment on column mart.vw_customer_profitability.clv_to_cac_ratio is
'Margin to date plus expected margin, divided by acquisition cost; null if either is unknown.';
comment on column mart.vw_customer_profitability.has_paid_back is
'Whether the margin to date covers the acquisition cost; null if that is unknown.';

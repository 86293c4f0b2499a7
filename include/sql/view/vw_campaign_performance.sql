-- vw_campaign_performance: reach, response, cost and attributed sales of each campaign.
-- Grain: firm_key, campaign_id. The function takes any as_of, the view each firm's latest.
-- Attributed: purchases of a customer on a day with a redemption or conversion, in equal parts if
-- several campaigns share the day. Attribution is not a causal effect.

create or replace function mart.campaign_performance(firm text, as_of date)
returns table (
    campaign_id text,
    campaign_name text,
    campaign_type text,
    campaign_channel text,
    start_date date,
    end_date date,
    budget_amount numeric,
    audience_size bigint,
    unique_reach bigint,
    impressions bigint,
    sends bigint,
    opens bigint,
    clicks bigint,
    redemptions bigint,
    redeeming_customers bigint,
    conversions bigint,
    leads_generated bigint,
    customers_acquired bigint,
    spend numeric,
    orders_attributed numeric,
    revenue_attributed numeric,
    open_rate numeric,
    click_through_rate numeric,
    redemption_rate numeric,
    cost_per_click numeric,
    cost_per_lead numeric,
    cost_per_acquisition numeric,
    roas numeric
)
language sql
stable
as $$
with counts as (

    select
        fact_campaign_performance.campaign_sk,
        sum(fact_campaign_performance.impressions)::bigint as impressions,
        sum(fact_campaign_performance.sends)::bigint as sends,
        sum(fact_campaign_performance.opens)::bigint as opens,
        sum(fact_campaign_performance.clicks)::bigint as clicks,
        sum(fact_campaign_performance.redemptions)::bigint as redemptions,
        sum(fact_campaign_performance.conversions)::bigint as conversions,
        sum(fact_campaign_performance.spend) as spend
    from analytics.dim_firm
    inner join analytics.fact_campaign_performance
        on dim_firm.firm_sk = fact_campaign_performance.firm_sk
    where
        dim_firm.firm_key = campaign_performance.firm
        and fact_campaign_performance.order_date < campaign_performance.as_of
    group by fact_campaign_performance.campaign_sk

),

known_events as (

    select
        fact_interaction.firm_sk,
        fact_interaction.campaign_sk,
        fact_interaction.customer_sk,
        fact_interaction.order_date,
        fact_interaction.activity_type
    from analytics.dim_firm
    inner join analytics.fact_interaction on dim_firm.firm_sk = fact_interaction.firm_sk
    inner join analytics.dim_customer
        on
            fact_interaction.customer_sk = dim_customer.customer_sk
            and not dim_customer.is_anonymous
    where
        dim_firm.firm_key = campaign_performance.firm
        and fact_interaction.order_date < campaign_performance.as_of
        and fact_interaction.campaign_sk is not null

),

reach as (

    select
        known_events.campaign_sk,
        count(distinct known_events.customer_sk) filter (
            where known_events.activity_type = 'targeted'
        ) as audience_size,
        count(distinct known_events.customer_sk) filter (
            where known_events.activity_type in ('targeted', 'impression', 'sent', 'opened', 'clicked')
        ) as unique_reach,
        count(distinct known_events.customer_sk) filter (
            where known_events.activity_type = 'redemption'
        ) as redeeming_customers
    from known_events
    group by known_events.campaign_sk

),

-- One row per customer, day and campaign, with the share attributed to the campaign.
credits as (

    select
        days.firm_sk,
        days.campaign_sk,
        days.customer_sk,
        days.order_date,
        1.0 / count(*) over (partition by days.customer_sk, days.order_date) as part
    from (
        select distinct
            known_events.firm_sk,
            known_events.campaign_sk,
            known_events.customer_sk,
            known_events.order_date
        from known_events
        where known_events.activity_type in ('redemption', 'conversion')
    ) as days

),

sales as (

    select
        credits.campaign_sk,
        credits.customer_sk,
        credits.order_date,
        credits.part,
        count(distinct fact_sales.transaction_id) as orders,
        sum(fact_sales.net_amount) as net_amount
    from credits
    inner join analytics.fact_sales
        on
            credits.firm_sk = fact_sales.firm_sk
            and credits.customer_sk = fact_sales.customer_sk
            and credits.order_date = fact_sales.order_date
            and fact_sales.kind = 'sale'
    group by
        credits.campaign_sk,
        credits.customer_sk,
        credits.order_date,
        credits.part

),

attributed as (

    select
        sales.campaign_sk,
        round(sum(sales.part * sales.orders), 2) as orders,
        round(sum(sales.part * sales.net_amount), 2) as net_amount
    from sales
    group by sales.campaign_sk

),

leads as (

    select
        fact_customer_acquisition.campaign_sk,
        count(fact_customer_acquisition.lead_id) as leads_generated,
        count(*) filter (where fact_customer_acquisition.is_acquisition) as customers_acquired
    from analytics.dim_firm
    inner join analytics.fact_customer_acquisition
        on dim_firm.firm_sk = fact_customer_acquisition.firm_sk
    where
        dim_firm.firm_key = campaign_performance.firm
        and fact_customer_acquisition.as_of = campaign_performance.as_of
    group by fact_customer_acquisition.campaign_sk

)

select
    dim_campaign.campaign_id,
    dim_campaign.campaign_name,
    dim_campaign.campaign_type,
    dim_campaign.campaign_channel,
    dim_campaign.start_date,
    dim_campaign.end_date,
    dim_campaign.budget_amount,
    coalesce(reach.audience_size, 0) as audience_size,
    coalesce(reach.unique_reach, 0) as unique_reach,
    counts.impressions,
    counts.sends,
    counts.opens,
    counts.clicks,
    counts.redemptions,
    coalesce(reach.redeeming_customers, 0) as redeeming_customers,
    counts.conversions,
    leads.leads_generated,
    leads.customers_acquired,
    counts.spend,
    coalesce(attributed.orders, 0) as orders_attributed,
    coalesce(attributed.net_amount, 0) as revenue_attributed,
    round(100.0 * counts.opens / nullif(counts.sends, 0), 1) as open_rate,
    round(
        100.0 * counts.clicks / nullif(counts.impressions + counts.sends, 0), 2
    ) as click_through_rate,
    round(
        100.0 * reach.redeeming_customers / nullif(reach.audience_size, 0), 1
    ) as redemption_rate,
    round(counts.spend / nullif(counts.clicks, 0), 2) as cost_per_click,
    round(counts.spend / nullif(leads.leads_generated, 0), 2) as cost_per_lead,
    round(counts.spend / nullif(leads.customers_acquired, 0), 2) as cost_per_acquisition,
    round(coalesce(attributed.net_amount, 0) / nullif(counts.spend, 0), 2) as roas
from counts
inner join analytics.dim_campaign on counts.campaign_sk = dim_campaign.campaign_sk
left join reach on counts.campaign_sk = reach.campaign_sk
left join attributed on counts.campaign_sk = attributed.campaign_sk
left join leads on counts.campaign_sk = leads.campaign_sk
$$;

create or replace view mart.vw_campaign_performance
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    campaigns.*
from mart.vw_latest_snapshot
cross join
    lateral mart.campaign_performance(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as campaigns
where vw_latest_snapshot.fact_name = 'fact_interaction';

comment on function mart.campaign_performance is 'vw_campaign_performance of one firm at any as_of.';
comment on view mart.vw_campaign_performance is
'One row per firm and campaign with an event before as_of.';
comment on column mart.vw_campaign_performance.audience_size is 'Known customers on the campaign''s list.';
comment on column mart.vw_campaign_performance.unique_reach is
'Distinct known customers on the list or with an impression, message, opening or click.';
comment on column mart.vw_campaign_performance.impressions is 'Number of impressions.';
comment on column mart.vw_campaign_performance.sends is 'Messages sent.';
comment on column mart.vw_campaign_performance.opens is 'Openings of messages; repeated openings count.';
comment on column mart.vw_campaign_performance.clicks is 'Clicks.';
comment on column mart.vw_campaign_performance.redemptions is 'Coupons or offers redeemed.';
comment on column mart.vw_campaign_performance.redeeming_customers is
'Known customers who redeemed at least one.';
comment on column mart.vw_campaign_performance.conversions is 'Conversions reported by the source.';
comment on column mart.vw_campaign_performance.leads_generated is
'Leads of the campaign; null if no lead names it.';
comment on column mart.vw_campaign_performance.customers_acquired is 'Customers acquired from these leads.';
comment on column mart.vw_campaign_performance.spend is 'Cost of the campaign''s events.';
comment on column mart.vw_campaign_performance.orders_attributed is
'Orders attributed to the campaign; an order shared by two campaigns counts half for each.';
comment on column mart.vw_campaign_performance.revenue_attributed is
'Sale amount attributed to the campaign, in the same parts.';
comment on column mart.vw_campaign_performance.open_rate is
'opens in percent of sends; above 100 if messages are opened repeatedly.';
comment on column mart.vw_campaign_performance.click_through_rate is
'clicks in percent of impressions and sends.';
comment on column mart.vw_campaign_performance.redemption_rate is
'redeeming_customers in percent of audience_size.';
comment on column mart.vw_campaign_performance.cost_per_click is 'spend per click.';
comment on column mart.vw_campaign_performance.cost_per_lead is 'spend per lead.';
comment on column mart.vw_campaign_performance.cost_per_acquisition is 'spend per customer acquired.';
comment on column mart.vw_campaign_performance.roas is 'revenue_attributed per unit of spend.';
comment on column mart.vw_campaign_performance.campaign_id is 'Key of the campaign.';
comment on column mart.vw_campaign_performance.campaign_name is
'Name; null if the campaign is known only from events.';
comment on column mart.vw_campaign_performance.campaign_type is 'Type of campaign, in the firm''s own terms.';
comment on column mart.vw_campaign_performance.campaign_channel is 'Code of the channel it runs on.';
comment on column mart.vw_campaign_performance.start_date is 'First day it runs.';
comment on column mart.vw_campaign_performance.end_date is 'Last day it runs.';
comment on column mart.vw_campaign_performance.budget_amount is 'Budget of the campaign.';

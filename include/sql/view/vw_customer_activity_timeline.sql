-- vw_customer_activity_timeline: orders, returns and events of known customers, in order of time.
-- Grain: an order, a return or an event. The function takes any as_of, the view each firm's latest of sales.
-- Events are looked up per customer (lateral; the sort keeps the planner from flattening it), so that a
-- query for one customer is fast.

create or replace function mart.customer_activity_timeline(firm text, customer text, as_of date)
returns table (
    customer_id text,
    activity_datetime timestamptz,
    order_date date,
    activity_type text,
    activity_subtype text,
    activity_reference text,
    channel_code text,
    campaign_id text,
    order_value numeric,
    items_count numeric,
    nps_score smallint,
    sentiment_score double precision
)
language sql
stable
as $$
select
    dim_customer.customer_id,
    activity.activity_datetime,
    activity.order_date,
    activity.activity_type,
    activity.activity_subtype,
    activity.activity_reference,
    activity.channel_code,
    dim_campaign.campaign_id,
    activity.order_value,
    activity.items_count,
    activity.nps_score,
    activity.sentiment_score
from analytics.dim_firm
inner join analytics.dim_customer on dim_firm.firm_sk = dim_customer.firm_sk
cross join lateral (
    select fact_customer_activity.*
    from analytics.fact_customer_activity
    where
        fact_customer_activity.firm_sk = dim_customer.firm_sk
        and fact_customer_activity.customer_sk = dim_customer.customer_sk
        and fact_customer_activity.order_date < customer_activity_timeline.as_of
    order by fact_customer_activity.activity_datetime
) as activity
left join analytics.dim_campaign on activity.campaign_sk = dim_campaign.campaign_sk
where
    dim_firm.firm_key = customer_activity_timeline.firm
    and dim_customer.customer_id = customer_activity_timeline.customer
    and not dim_customer.is_anonymous
order by
    activity.activity_datetime,
    activity.activity_type,
    activity.activity_reference
$$;

create or replace view mart.vw_customer_activity_timeline
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    shown.*
from mart.vw_latest_snapshot
inner join analytics.dim_customer on vw_latest_snapshot.firm_sk = dim_customer.firm_sk
cross join
    lateral mart.customer_activity_timeline(
        vw_latest_snapshot.firm_key, dim_customer.customer_id, vw_latest_snapshot.as_of
    ) as shown
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.customer_activity_timeline is
'vw_customer_activity_timeline of one customer at any as_of, in order of time.';
comment on view mart.vw_customer_activity_timeline is
'One row per firm, known customer and order, return or event before the latest snapshot of sales.';
comment on column mart.vw_customer_activity_timeline.order_date is 'Day in the firm''s time zone.';
comment on column mart.vw_customer_activity_timeline.activity_datetime is 'When it happened, UTC.';
comment on column mart.vw_customer_activity_timeline.activity_type is
'order, return, or type of event: nps, ticket, session, sent, redemption, ...';
comment on column mart.vw_customer_activity_timeline.order_value is
'Net amount of an order; negative for a return; null for events.';
comment on column mart.vw_customer_activity_timeline.items_count is
'Units of an order; negative for a return; null for events.';

-- vw_touchpoint_summary: touchpoints by type and channel, and how often an order followed within 30 days.
-- Grain: firm_key, activity_type, channel_code. The function takes any as_of, the view each firm's latest of
-- sales. A touchpoint counts once its 30 days have passed; orders and returns are not touchpoints.

create or replace function mart.touchpoint_summary(firm text, as_of date)
returns table (
    activity_type text,
    channel_code text,
    event_count numeric,
    customer_count bigint,
    first_touch_customer_count bigint,
    matured_touch_count bigint,
    ordered_touch_count bigint,
    ordered_pct numeric
)
language sql
stable
as $$
with touches as (

    select
        fact_customer_activity.customer_sk,
        fact_customer_activity.activity_type,
        coalesce(fact_customer_activity.channel_code, '(unknown)') as channel_code,
        fact_customer_activity.order_date,
        sum(fact_customer_activity.event_count) as event_count,
        min(fact_customer_activity.activity_datetime) as first_at
    from analytics.dim_firm
    inner join analytics.fact_customer_activity on dim_firm.firm_sk = fact_customer_activity.firm_sk
    inner join analytics.dim_customer
        on
            fact_customer_activity.customer_sk = dim_customer.customer_sk
            and not dim_customer.is_anonymous
    where
        dim_firm.firm_key = touchpoint_summary.firm
        and fact_customer_activity.activity_type not in ('order', 'return')
        and fact_customer_activity.order_date < touchpoint_summary.as_of
    group by
        fact_customer_activity.customer_sk,
        fact_customer_activity.activity_type,
        coalesce(fact_customer_activity.channel_code, '(unknown)'),
        fact_customer_activity.order_date

),

orders as (

    select distinct
        fact_sales.customer_sk,
        fact_sales.order_date
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    where
        dim_firm.firm_key = touchpoint_summary.firm
        and fact_sales.kind = 'sale'
        and fact_sales.order_date < touchpoint_summary.as_of

),

followed as (

    select
        touches.customer_sk,
        touches.activity_type,
        touches.channel_code,
        touches.event_count,
        touches.order_date + 30 <= touchpoint_summary.as_of as is_matured,
        row_number() over (
            partition by touches.customer_sk
            order by touches.first_at, touches.activity_type, touches.channel_code
        ) = 1 as is_first_touch,
        exists (
            select 1 as found
            from orders
            where
                touches.customer_sk = orders.customer_sk
                and orders.order_date >= touches.order_date
                and orders.order_date < touches.order_date + 30
        ) as is_followed
    from touches

)

select
    followed.activity_type,
    followed.channel_code,
    sum(followed.event_count) as event_count,
    count(distinct followed.customer_sk) as customer_count,
    count(*) filter (where followed.is_first_touch) as first_touch_customer_count,
    count(*) filter (where followed.is_matured) as matured_touch_count,
    count(*) filter (where followed.is_matured and followed.is_followed) as ordered_touch_count,
    round(
        100.0 * count(*) filter (where followed.is_matured and followed.is_followed)
        / nullif(count(*) filter (where followed.is_matured), 0),
        1
    ) as ordered_pct
from followed
group by
    followed.activity_type,
    followed.channel_code
$$;

create or replace view mart.vw_touchpoint_summary
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    shown.*
from mart.vw_latest_snapshot
cross join lateral mart.touchpoint_summary(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as shown
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.touchpoint_summary is 'vw_touchpoint_summary of one firm at any as_of.';
comment on view mart.vw_touchpoint_summary is
'One row per firm, type of touchpoint and channel: customers reached, and orders that followed.';
comment on column mart.vw_touchpoint_summary.event_count is 'Events of known customers.';
comment on column mart.vw_touchpoint_summary.customer_count is 'Known customers reached.';
comment on column mart.vw_touchpoint_summary.first_touch_customer_count is
'Customers for whom it was the first touchpoint.';
comment on column mart.vw_touchpoint_summary.matured_touch_count is
'Days of a customer with such a touchpoint, if the next 30 days have passed.';
comment on column mart.vw_touchpoint_summary.ordered_touch_count is
'Matured touchpoints followed by an order of the customer on the day or within 29 days.';
comment on column mart.vw_touchpoint_summary.ordered_pct is
'ordered_touch_count in percent of matured_touch_count; not a causal effect; null if none has matured.';

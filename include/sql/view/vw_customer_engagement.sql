-- vw_customer_engagement: activity, response to messages and latest NPS score of each customer.
-- Grain: firm_key, customer_id. The function takes any as_of, the view each firm's latest of sales.
-- Events done to a customer (targeted, impression, sent, spend) are not activities. Events are looked
-- up per customer (lateral), so that a query for one customer is fast.

create or replace function mart.customer_engagement(firm text, as_of date)
returns table (
    customer_id text,
    last_activity_date date,
    days_since_last_activity integer,
    active_days_90_days bigint,
    active_days_previous_90_days bigint,
    engagement_trend text,
    order_count_90_days bigint,
    visit_count_90_days numeric,
    service_days_90_days bigint,
    complaint_count_365_days numeric,
    sent_count_90_days numeric,
    opened_count_90_days numeric,
    clicked_count_90_days numeric,
    opened_pct numeric,
    last_nps_score smallint,
    last_nps_date date
)
language sql
stable
as $$
select
    dim_customer.customer_id,
    sums.last_activity_date,
    customer_engagement.as_of - sums.last_activity_date as days_since_last_activity,
    sums.active_days as active_days_90_days,
    sums.previous_days as active_days_previous_90_days,
    case
        when sums.active_days = 0 and sums.previous_days = 0 then 'inactive'
        when sums.active_days > 1.5 * sums.previous_days then 'increasing'
        when sums.active_days < 0.5 * sums.previous_days then 'decreasing'
        else 'stable'
    end as engagement_trend,
    sums.orders as order_count_90_days,
    sums.visits as visit_count_90_days,
    sums.service_days as service_days_90_days,
    sums.complaints as complaint_count_365_days,
    sums.sent as sent_count_90_days,
    sums.opened as opened_count_90_days,
    sums.clicked as clicked_count_90_days,
    round(100.0 * sums.opened / nullif(sums.sent, 0), 1) as opened_pct,
    scores.nps_score as last_nps_score,
    scores.order_date as last_nps_date
from analytics.dim_firm
inner join analytics.dim_customer on dim_firm.firm_sk = dim_customer.firm_sk
cross join lateral (
    with acts as (

        select
            fact_customer_activity.order_date,
            fact_customer_activity.activity_type,
            coalesce(fact_customer_activity.event_count, 1) as event_count,
            fact_customer_activity.activity_type not in (
                'targeted', 'impression', 'sent', 'spend'
            ) as is_own,
            fact_customer_activity.order_date >= customer_engagement.as_of - 90 as is_recent,
            fact_customer_activity.order_date >= customer_engagement.as_of - 180
            and fact_customer_activity.order_date < customer_engagement.as_of - 90 as is_previous
        from analytics.fact_customer_activity
        where
            fact_customer_activity.firm_sk = dim_customer.firm_sk
            and fact_customer_activity.customer_sk = dim_customer.customer_sk
            and fact_customer_activity.order_date < customer_engagement.as_of

    )

    select
        max(acts.order_date) filter (where acts.is_own) as last_activity_date,
        count(distinct acts.order_date) filter (where acts.is_own and acts.is_recent) as active_days,
        count(distinct acts.order_date) filter (where acts.is_own and acts.is_previous) as previous_days,
        count(*) filter (where acts.activity_type = 'order' and acts.is_recent) as orders,
        coalesce(
            sum(acts.event_count) filter (
                where acts.activity_type in ('session', 'login', 'browse') and acts.is_recent
            ),
            0
        ) as visits,
        count(distinct acts.order_date) filter (
            where acts.activity_type in ('inquiry', 'complaint', 'ticket', 'feedback') and acts.is_recent
        ) as service_days,
        coalesce(
            sum(acts.event_count) filter (
                where
                    acts.activity_type = 'complaint'
                    and acts.order_date >= customer_engagement.as_of - 365
            ),
            0
        ) as complaints,
        coalesce(sum(acts.event_count) filter (where acts.activity_type = 'sent' and acts.is_recent), 0) as sent,
        coalesce(
            sum(acts.event_count) filter (where acts.activity_type = 'opened' and acts.is_recent), 0
        ) as opened,
        coalesce(
            sum(acts.event_count) filter (where acts.activity_type = 'clicked' and acts.is_recent), 0
        ) as clicked
    from acts
    having count(*) > 0
) as sums
left join lateral (
    select
        fact_interaction.nps_score,
        fact_interaction.order_date
    from analytics.fact_interaction
    where
        fact_interaction.firm_sk = dim_customer.firm_sk
        and fact_interaction.customer_sk = dim_customer.customer_sk
        and fact_interaction.order_date < customer_engagement.as_of
        and fact_interaction.nps_score is not null
    order by
        fact_interaction.occurred_at desc,
        fact_interaction.interaction_id desc
    limit 1
) as scores on true
where
    dim_firm.firm_key = customer_engagement.firm
    and not dim_customer.is_anonymous
$$;

create or replace view mart.vw_customer_engagement
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    shown.*
from mart.vw_latest_snapshot
cross join lateral mart.customer_engagement(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as shown
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.customer_engagement is 'vw_customer_engagement of one firm at any as_of.';
comment on view mart.vw_customer_engagement is
'One row per firm and known customer with an order or event: activity and messages.';
comment on column mart.vw_customer_engagement.last_activity_date is
'Last day with an activity: order, return, visit, contact, answer, opening, ...';
comment on column mart.vw_customer_engagement.days_since_last_activity is
'Days from last_activity_date to as_of.';
comment on column mart.vw_customer_engagement.active_days_90_days is
'Days with an activity in the last 90 days.';
comment on column mart.vw_customer_engagement.active_days_previous_90_days is
'Days with an activity in the 90 days before those.';
comment on column mart.vw_customer_engagement.engagement_trend is
'increasing: above 1.5 times the previous 90 days; decreasing: below half; else stable; inactive: both 0.';
comment on column mart.vw_customer_engagement.order_count_90_days is 'Orders in the last 90 days.';
comment on column mart.vw_customer_engagement.visit_count_90_days is
'Sessions, logins and browsing events in the last 90 days.';
comment on column mart.vw_customer_engagement.service_days_90_days is
'Days with an inquiry, complaint, ticket or feedback in the last 90 days.';
comment on column mart.vw_customer_engagement.complaint_count_365_days is 'Complaints in the last 365 days.';
comment on column mart.vw_customer_engagement.sent_count_90_days is
'Messages sent to the customer in the last 90 days.';
comment on column mart.vw_customer_engagement.opened_count_90_days is
'Openings of messages in the last 90 days; repeated openings count.';
comment on column mart.vw_customer_engagement.clicked_count_90_days is
'Clicks in messages in the last 90 days.';
comment on column mart.vw_customer_engagement.opened_pct is
'Openings in percent of messages sent; above 100 if opened repeatedly; null if none was sent.';
comment on column mart.vw_customer_engagement.last_nps_score is
'Latest NPS score, 0 to 10; null without an answer.';
comment on column mart.vw_customer_engagement.last_nps_date is 'Day of the latest NPS answer.';

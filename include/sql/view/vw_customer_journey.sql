-- vw_customer_journey: each customer's milestones in order, from lead to last order.
-- Grain: firm_key, customer_id, milestone. The function takes any as_of, the view each firm's latest of
-- sales. Leads come from the acquisition snapshot of the same as_of; last_order appears from the third
-- order on.

create or replace function mart.customer_journey(firm text, as_of date)
returns table (
    customer_id text,
    step_number bigint,
    milestone text,
    milestone_date date,
    channel_code text,
    days_since_previous integer,
    days_since_first integer
)
language sql
stable
as $$
with acts as (

    select
        fact_customer_activity.firm_sk,
        fact_customer_activity.customer_sk,
        fact_customer_activity.activity_type,
        fact_customer_activity.order_date,
        min(fact_customer_activity.channel_code) as channel_code,
        row_number() over (
            partition by fact_customer_activity.customer_sk, fact_customer_activity.activity_type
            order by fact_customer_activity.order_date
        ) as place,
        row_number() over (
            partition by fact_customer_activity.customer_sk, fact_customer_activity.activity_type
            order by fact_customer_activity.order_date desc
        ) as place_from_last
    from analytics.dim_firm
    inner join analytics.fact_customer_activity on dim_firm.firm_sk = fact_customer_activity.firm_sk
    where
        dim_firm.firm_key = customer_journey.firm
        and fact_customer_activity.order_date < customer_journey.as_of
    group by
        fact_customer_activity.firm_sk,
        fact_customer_activity.customer_sk,
        fact_customer_activity.activity_type,
        fact_customer_activity.order_date

),

named (activity_type, place, milestone, milestone_place) as (

    values
    ('order', 1, 'first_order', 4),
    ('order', 2, 'second_order', 5),
    ('return', 1, 'first_return', 6),
    ('ticket', 1, 'first_ticket', 7),
    ('complaint', 1, 'first_complaint', 8),
    ('redemption', 1, 'first_redemption', 9)

),

won as (

    select
        fact_customer_acquisition.customer_sk,
        dim_interaction_channel.channel_code,
        fact_customer_acquisition.lead_created_date,
        fact_customer_acquisition.first_contact_date,
        fact_customer_acquisition.conversion_date
    from analytics.dim_firm
    inner join analytics.fact_customer_acquisition
        on dim_firm.firm_sk = fact_customer_acquisition.firm_sk
    inner join analytics.dim_interaction_channel
        on fact_customer_acquisition.channel_sk = dim_interaction_channel.channel_sk
    where
        dim_firm.firm_key = customer_journey.firm
        and fact_customer_acquisition.as_of = customer_journey.as_of
        and fact_customer_acquisition.is_acquisition

),

milestones as (

    select
        won.customer_sk,
        steps.milestone,
        steps.milestone_place,
        steps.milestone_date,
        won.channel_code
    from won
    cross join lateral (
        values
        ('lead_created', 1, won.lead_created_date),
        ('first_contact', 2, won.first_contact_date),
        ('conversion', 3, won.conversion_date)
    ) as steps (milestone, milestone_place, milestone_date)
    where
        steps.milestone_date is not null
        and steps.milestone_date < customer_journey.as_of
    union all
    select
        acts.customer_sk,
        named.milestone,
        named.milestone_place,
        acts.order_date as milestone_date,
        acts.channel_code
    from acts
    inner join named
        on
            acts.activity_type = named.activity_type
            and acts.place = named.place
    union all
    select
        acts.customer_sk,
        'last_order' as milestone,
        10 as milestone_place,
        acts.order_date as milestone_date,
        acts.channel_code
    from acts
    where
        acts.activity_type = 'order'
        and acts.place_from_last = 1
        and acts.place > 2

)

select
    dim_customer.customer_id,
    row_number() over journey as step_number,
    milestones.milestone,
    milestones.milestone_date,
    milestones.channel_code,
    milestones.milestone_date - lag(milestones.milestone_date) over journey as days_since_previous,
    milestones.milestone_date - first_value(milestones.milestone_date) over journey as days_since_first
from milestones
inner join analytics.dim_customer on milestones.customer_sk = dim_customer.customer_sk
where not dim_customer.is_anonymous
window journey as (
    partition by milestones.customer_sk order by milestones.milestone_date, milestones.milestone_place
)
$$;

create or replace view mart.vw_customer_journey
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    shown.*
from mart.vw_latest_snapshot
cross join lateral mart.customer_journey(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as shown
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.customer_journey is 'vw_customer_journey of one firm at any as_of.';
comment on view mart.vw_customer_journey is
'One row per firm, known customer and milestone: lead, conversion, first and second order, return, ...';
comment on column mart.vw_customer_journey.step_number is
'Number of the step in the customer''s journey, from 1.';
comment on column mart.vw_customer_journey.milestone is
'lead_created, first_contact, conversion, first_order, second_order (on a later day), first_return, ...';
comment on column mart.vw_customer_journey.milestone_date is 'Day it was reached.';
comment on column mart.vw_customer_journey.channel_code is
'Code of the channel; if there are several on a day, the alphabetically first.';
comment on column mart.vw_customer_journey.days_since_previous is
'Days since the previous step; null for the first.';
comment on column mart.vw_customer_journey.days_since_first is 'Days since the first step.';

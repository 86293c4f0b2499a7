-- vw_shared_customer_group: customers and spend by segment, country, city, age or gender, safe to share.
-- Grain: firm_key, attribute, member. The function takes any as_of, the view each firm's latest.

create or replace function mart.smallest_shared_group()
returns bigint
language sql
immutable
as $$
select 5::bigint
$$;

create or replace function mart.shared_customer_group(firm text, as_of date)
returns table (
    attribute text,
    member text,
    group_count bigint,
    customers text,
    customer_count bigint,
    total_spend_365_days numeric,
    avg_spend_365_days numeric,
    active_pct numeric
)
language sql
stable
as $$
with placed as (

    select
        member.attribute,
        coalesce(nullif(btrim(member.member), ''), 'Unknown') as member,
        fact_customer_rfm.total_spend_365_days,
        fact_customer_rfm.days_since_last_order
    from analytics.dim_firm
    inner join analytics.fact_customer_rfm on dim_firm.firm_sk = fact_customer_rfm.firm_sk
    inner join analytics.dim_customer
        on
            fact_customer_rfm.firm_sk = dim_customer.firm_sk
            and fact_customer_rfm.customer_sk = dim_customer.customer_sk
    inner join analytics.dim_customer_segment
        on fact_customer_rfm.rfm_segment_sk = dim_customer_segment.segment_sk
    cross join lateral (
        values
        ('rfm_segment', dim_customer_segment.segment_name),
        ('country', dim_customer.country),
        ('city', dim_customer.city),
        ('age_band', dim_customer.age_band),
        ('gender', dim_customer.gender)
    ) as member (attribute, member)
    where
        dim_firm.firm_key = shared_customer_group.firm
        and fact_customer_rfm.as_of = shared_customer_group.as_of

),

counted as (

    select
        placed.attribute,
        placed.member,
        count(*) as customer_count,
        sum(placed.total_spend_365_days) as total_spend_365_days,
        count(*) filter (where placed.days_since_last_order <= 30) as active_count
    from placed
    group by
        placed.attribute,
        placed.member

),

ranked as (

    select
        counted.*,
        row_number() over (
            partition by counted.attribute order by counted.customer_count asc, counted.member asc
        ) as place,
        coalesce(
            sum(counted.customer_count) over (
                partition by counted.attribute
                order by counted.customer_count asc, counted.member asc
                rows between unbounded preceding and 1 preceding
            ), 0
        ) as smaller_ones,
        min(counted.customer_count) over (partition by counted.attribute) < mart.smallest_shared_group()
            as has_small
    from counted

),

-- The size of a single small group could be computed from the total, so the next larger groups are added
-- until together they are large enough.
merged as (

    select
        ranked.attribute,
        ranked.customer_count,
        ranked.total_spend_365_days,
        ranked.active_count,
        case
            when
                ranked.has_small
                and (
                    ranked.customer_count < mart.smallest_shared_group()
                    or ranked.smaller_ones < mart.smallest_shared_group()
                )
                then 'Other'
            else ranked.member
        end as member
    from ranked

),

shared as (

    select
        merged.attribute,
        merged.member,
        count(*) as group_count,
        sum(merged.customer_count)::bigint as customer_count,
        sum(merged.total_spend_365_days) as total_spend_365_days,
        sum(merged.active_count) as active_count,
        sum(merged.customer_count) < mart.smallest_shared_group() as is_small
    from merged
    group by
        merged.attribute,
        merged.member

)

select
    shared.attribute,
    shared.member,
    shared.group_count,
    case
        when shared.is_small then 'fewer than ' || mart.smallest_shared_group()
        else shared.customer_count::text
    end as customers,
    case when not shared.is_small then shared.customer_count end as customer_count,
    case when not shared.is_small then shared.total_spend_365_days end as total_spend_365_days,
    case
        when not shared.is_small then round(shared.total_spend_365_days / shared.customer_count, 2)
    end as avg_spend_365_days,
    case
        when not shared.is_small then round(100.0 * shared.active_count / shared.customer_count, 0)
    end as active_pct
from shared
order by
    shared.attribute asc,
    shared.member = 'Other' asc,
    shared.member asc
$$;

create or replace view mart.vw_shared_customer_group
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    shared_groups.*
from mart.vw_latest_snapshot
cross join
    lateral mart.shared_customer_group(
        vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of
    ) as shared_groups
where vw_latest_snapshot.fact_name = 'fact_customer_rfm';

comment on function mart.smallest_shared_group is
'Smallest number of customers that a group must have in a view made for sharing.';
comment on function mart.shared_customer_group is 'vw_shared_customer_group of one firm at any as_of.';
comment on view mart.vw_shared_customer_group is
'One row per firm, attribute and member at the latest snapshot. Made for sharing: no group below 5.';
comment on column mart.vw_shared_customer_group.attribute is
'Grouping attribute: rfm_segment, country, city, age_band or gender.';
comment on column mart.vw_shared_customer_group.member is
'Group; Unknown if the source has no value; Other for merged small groups.';
comment on column mart.vw_shared_customer_group.group_count is
'Number of groups merged in the row: above 1 for Other.';
comment on column mart.vw_shared_customer_group.customers is
'Number of customers as text: ''fewer than 5'' if all small groups together have fewer.';
comment on column mart.vw_shared_customer_group.customer_count is
'Number of customers; null if fewer than 5.';
comment on column mart.vw_shared_customer_group.total_spend_365_days is
'Net spend in the last 365 days; null if fewer than 5 customers.';
comment on column mart.vw_shared_customer_group.avg_spend_365_days is
'Net spend in the last 365 days per customer; null if fewer than 5 customers.';
comment on column mart.vw_shared_customer_group.active_pct is
'Share with a last order at most 30 days old, in whole percent; null if fewer than 5 customers.';

-- vw_segment_migration: customers by earlier and current segment.
-- Grain: firm_key, from_segment, to_segment. The function takes any two snapshots; the view compares each
-- firm's latest with the newest one at least 30 days older, else with its earliest other one.

create or replace function mart.segment_migration(firm text, from_as_of date, to_as_of date)
returns table (
    from_segment text,
    to_segment text,
    customers_migrated bigint,
    migration_direction text
)
language sql
stable
as $$
with earlier as (

    select
        fact_customer_rfm.customer_sk,
        fact_customer_rfm.rfm_segment_sk
    from analytics.dim_firm
    inner join analytics.fact_customer_rfm on dim_firm.firm_sk = fact_customer_rfm.firm_sk
    where
        dim_firm.firm_key = segment_migration.firm
        and fact_customer_rfm.as_of = segment_migration.from_as_of

),

later as (

    select
        fact_customer_rfm.customer_sk,
        fact_customer_rfm.rfm_segment_sk
    from analytics.dim_firm
    inner join analytics.fact_customer_rfm on dim_firm.firm_sk = fact_customer_rfm.firm_sk
    where
        dim_firm.firm_key = segment_migration.firm
        and fact_customer_rfm.as_of = segment_migration.to_as_of

),

moves as (

    select
        earlier.rfm_segment_sk as from_segment_sk,
        later.rfm_segment_sk as to_segment_sk,
        count(*) as customers_migrated
    from earlier
    full outer join later on earlier.customer_sk = later.customer_sk
    group by
        earlier.rfm_segment_sk,
        later.rfm_segment_sk

),

tiers (value_tier, tier_rank) as (

    values
    ('High value', 4),
    ('Growth potential', 3),
    ('At risk', 2),
    ('Recovery', 1)

)

select
    coalesce(from_dim.segment_name, '(entered)') as from_segment,
    coalesce(to_dim.segment_name, '(left)') as to_segment,
    moves.customers_migrated,
    case
        when moves.from_segment_sk is null then 'Entered'
        when moves.to_segment_sk is null then 'Left'
        when moves.from_segment_sk = moves.to_segment_sk then 'Stayed'
        when to_tier.tier_rank > from_tier.tier_rank then 'Upgraded'
        when to_tier.tier_rank < from_tier.tier_rank then 'Downgraded'
        else 'Same Level'
    end as migration_direction
from moves
left join analytics.dim_customer_segment as from_dim on moves.from_segment_sk = from_dim.segment_sk
left join analytics.dim_customer_segment as to_dim on moves.to_segment_sk = to_dim.segment_sk
left join tiers as from_tier on from_dim.value_tier = from_tier.value_tier
left join tiers as to_tier on to_dim.value_tier = to_tier.value_tier
$$;

create or replace view mart.vw_segment_migration
with (security_invoker = true, security_barrier = true)
as
with compared as (

    select
        vw_latest_snapshot.firm_key,
        vw_latest_snapshot.as_of,
        coalesce(
            max(dim_snapshot.as_of) filter (where dim_snapshot.as_of <= vw_latest_snapshot.as_of - 30),
            min(dim_snapshot.as_of)
        ) as from_as_of
    from mart.vw_latest_snapshot
    inner join analytics.dim_snapshot
        on
            vw_latest_snapshot.firm_sk = dim_snapshot.firm_sk
            and vw_latest_snapshot.fact_name = dim_snapshot.fact_name
            and vw_latest_snapshot.as_of > dim_snapshot.as_of
    where vw_latest_snapshot.fact_name = 'fact_customer_rfm'
    group by
        vw_latest_snapshot.firm_key,
        vw_latest_snapshot.as_of

)

select
    compared.firm_key,
    compared.from_as_of,
    compared.as_of,
    moves.from_segment,
    moves.to_segment,
    moves.customers_migrated,
    moves.migration_direction
from compared
cross join lateral mart.segment_migration(compared.firm_key, compared.from_as_of, compared.as_of) as moves;

comment on function mart.segment_migration is 'vw_segment_migration of one firm between any two snapshots.';
comment on view mart.vw_segment_migration is
'One row per firm and pair of earlier and current segment: customers who moved, stayed, entered or left.';
comment on column mart.vw_segment_migration.from_as_of is 'The earlier snapshot.';
comment on column mart.vw_segment_migration.from_segment is
'Segment at the earlier snapshot; (entered) if the customer was not in it.';
comment on column mart.vw_segment_migration.to_segment is
'Segment at as_of; (left) if the customer is not in it.';
comment on column mart.vw_segment_migration.customers_migrated is 'Number of customers.';
comment on column mart.vw_segment_migration.migration_direction is
'Upgraded or Downgraded by value tier, Same Level within a tier, Stayed in the segment, Entered or Left.';

-- fact_interaction: missing or duplicate events, and campaign counts that differ from the events.
-- Params: :firm_sk, :months.

with staged as (

    select
        count(*) as row_count,
        count(distinct stg_interactions.interaction_id) as key_count,
        coalesce(sum(stg_interactions.event_count), 0) as event_count,
        coalesce(sum(stg_interactions.cost_amount), 0) as cost_amount,
        coalesce(
            sum(stg_interactions.cost_amount) filter (where stg_interactions.campaign_id is not null), 0
        ) as campaign_spend
    from pg_temp.stg_interactions
    where date_trunc('month', stg_interactions.order_date)::date = any(:months)

),

loaded as (

    select
        count(*) as row_count,
        coalesce(sum(fact_interaction.event_count), 0) as event_count,
        coalesce(sum(fact_interaction.cost_amount), 0) as cost_amount
    from analytics.fact_interaction
    inner join unnest(:months) as replaced (month_start)
        on
            fact_interaction.order_date >= replaced.month_start
            and fact_interaction.order_date < (replaced.month_start + interval '1 month')::date
    where fact_interaction.firm_sk = :firm_sk

),

counted as (

    select coalesce(sum(fact_campaign_performance.spend), 0) as spend
    from analytics.fact_campaign_performance
    inner join unnest(:months) as replaced (month_start)
        on
            fact_campaign_performance.order_date >= replaced.month_start
            and fact_campaign_performance.order_date < (replaced.month_start + interval '1 month')::date
    where fact_campaign_performance.firm_sk = :firm_sk

)

select
    'loaded events, counts or cost differ from what was staged' as fault,
    'staged ' || staged.row_count || ' rows of ' || staged.event_count || ' events, loaded '
    || loaded.row_count || ' of ' || loaded.event_count as sample
from staged
cross join loaded
where
    staged.row_count <> loaded.row_count
    or staged.event_count <> loaded.event_count
    or staged.cost_amount <> loaded.cost_amount

union all

select
    'interaction twice' as fault,
    (staged.row_count - staged.key_count) || ' rows repeat a key' as sample
from staged
where staged.row_count <> staged.key_count

union all

select
    'spend of campaigns differs from the cost of their events' as fault,
    'staged ' || staged.campaign_spend || ', counted ' || counted.spend as sample
from staged
cross join counted
where staged.campaign_spend <> counted.spend

union all

select
    'campaign or channel with the code reserved for unknown' as fault,
    'interaction ' || stg_interactions.interaction_id as sample
from pg_temp.stg_interactions
where
    stg_interactions.campaign_id = '(unknown)'
    or stg_interactions.channel_code = '(unknown)';

-- fact_loyalty_movement: missing or duplicate movements, and points that differ from what was staged.
-- Params: :firm_sk, :months.

with staged as (

    select
        count(*) as row_count,
        count(distinct stg_loyalty_movements.movement_id) as key_count,
        coalesce(sum(stg_loyalty_movements.points_earned), 0) as points_earned,
        coalesce(sum(stg_loyalty_movements.points_used), 0) as points_used
    from pg_temp.stg_loyalty_movements
    where date_trunc('month', stg_loyalty_movements.order_date)::date = any(:months)

),

loaded as (

    select
        count(*) as row_count,
        coalesce(sum(fact_loyalty_movement.points_earned), 0) as points_earned,
        coalesce(sum(fact_loyalty_movement.points_used), 0) as points_used
    from analytics.fact_loyalty_movement
    inner join unnest(:months) as replaced (month_start)
        on
            fact_loyalty_movement.order_date >= replaced.month_start
            and fact_loyalty_movement.order_date < (replaced.month_start + interval '1 month')::date
    where fact_loyalty_movement.firm_sk = :firm_sk

)

select
    'loaded movements or points differ from what was staged' as fault,
    'staged ' || staged.row_count || ' movements of ' || staged.points_earned || ' earned, '
    || staged.points_used || ' used; loaded ' || loaded.row_count || ' of ' || loaded.points_earned
    || ', ' || loaded.points_used as sample
from staged
cross join loaded
where
    staged.row_count <> loaded.row_count
    or staged.points_earned <> loaded.points_earned
    or staged.points_used <> loaded.points_used

union all

select
    'movement twice' as fault,
    (staged.row_count - staged.key_count) || ' rows repeat a key' as sample
from staged
where staged.row_count <> staged.key_count;

-- fact_loyalty_movement: replaces whole months of a firm by the staged movements of points.
-- Grain: movement_id. Params: :firm_sk, :months.

select analytics.add_customers(
    :firm_sk,
    array(select distinct stg_loyalty_movements.customer_id from pg_temp.stg_loyalty_movements)
) as added;

select analytics.add_programmes(
    :firm_sk,
    array(select distinct stg_loyalty_movements.programme_id from pg_temp.stg_loyalty_movements)
) as added;

delete from analytics.fact_loyalty_movement
using unnest(:months) as replaced (month_start)
where
    fact_loyalty_movement.firm_sk = :firm_sk
    and fact_loyalty_movement.order_date >= replaced.month_start
    and fact_loyalty_movement.order_date < (replaced.month_start + interval '1 month')::date;

insert into analytics.fact_loyalty_movement (
    firm_sk,
    order_date,
    date_sk,
    customer_sk,
    program_sk,
    movement_id,
    transaction_id,
    occurred_at,
    points_earned,
    points_used
)
select
    :firm_sk as firm_sk,
    stg_loyalty_movements.order_date,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_program.program_sk,
    stg_loyalty_movements.movement_id,
    stg_loyalty_movements.transaction_id,
    stg_loyalty_movements.occurred_at,
    stg_loyalty_movements.points_earned,
    stg_loyalty_movements.points_used
from pg_temp.stg_loyalty_movements
inner join analytics.dim_date on stg_loyalty_movements.order_date = dim_date.date_actual
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_loyalty_movements.customer_id = dim_customer.customer_id
inner join analytics.dim_program
    on
        dim_program.firm_sk = :firm_sk
        and coalesce(stg_loyalty_movements.programme_id, '(unknown)') = dim_program.programme_id
where date_trunc('month', stg_loyalty_movements.order_date)::date = any(:months);

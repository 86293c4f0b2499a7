-- fact_loyalty_movement: replaces whole months of a firm by the staged movements of points.
-- Grain: movement_id. Params: :firm_sk, :months.

with seen as (

    select distinct stg_loyalty_movements.customer_id
    from pg_temp.stg_loyalty_movements

)

insert into analytics.dim_customer (firm_sk, customer_id)
select
    :firm_sk as firm_sk,
    seen.customer_id
from seen
left join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and seen.customer_id = dim_customer.customer_id
where dim_customer.customer_sk is null
order by seen.customer_id
on conflict (firm_sk, customer_id) do nothing;

with programmes as (

    select distinct coalesce(stg_loyalty_movements.programme_id, '(unknown)') as programme_id
    from pg_temp.stg_loyalty_movements

)

insert into analytics.dim_program (firm_sk, programme_id, is_active)
select
    :firm_sk as firm_sk,
    programmes.programme_id,
    false as is_active
from programmes
left join analytics.dim_program
    on
        dim_program.firm_sk = :firm_sk
        and programmes.programme_id = dim_program.programme_id
where dim_program.firm_sk is null
order by programmes.programme_id
on conflict (firm_sk, programme_id) do nothing;

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

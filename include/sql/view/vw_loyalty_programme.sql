-- vw_loyalty_programme: points earned, used and outstanding, and members, by month.
-- Grain: firm_key, programme_id, month_start. The function takes any as_of, the view each firm's latest.
-- Months without a movement have no row; the balance does not change.

create or replace function mart.loyalty_programme(firm text, as_of date)
returns table (
    programme_id text,
    program_name text,
    month_start date,
    active_members bigint,
    new_members bigint,
    members bigint,
    points_earned numeric,
    points_used numeric,
    points_outstanding numeric,
    redemption_rate numeric,
    is_complete boolean
)
language sql
stable
as $$
with movements as (

    select
        fact_loyalty_movement.program_sk,
        fact_loyalty_movement.customer_sk,
        date_trunc('month', fact_loyalty_movement.order_date)::date as month_start,
        fact_loyalty_movement.points_earned,
        fact_loyalty_movement.points_used
    from analytics.dim_firm
    inner join analytics.fact_loyalty_movement on dim_firm.firm_sk = fact_loyalty_movement.firm_sk
    where
        dim_firm.firm_key = loyalty_programme.firm
        and fact_loyalty_movement.order_date < loyalty_programme.as_of

),

joined as (

    select
        movements.program_sk,
        movements.customer_sk,
        min(movements.month_start) as month_start
    from movements
    group by
        movements.program_sk,
        movements.customer_sk

),

joiners as (

    select
        joined.program_sk,
        joined.month_start,
        count(*) as new_members
    from joined
    group by
        joined.program_sk,
        joined.month_start

),

months as (

    select
        movements.program_sk,
        movements.month_start,
        count(distinct movements.customer_sk) as active_members,
        sum(movements.points_earned) as points_earned,
        sum(movements.points_used) as points_used
    from movements
    group by
        movements.program_sk,
        movements.month_start

)

select
    dim_program.programme_id,
    dim_program.program_name,
    months.month_start,
    months.active_members,
    coalesce(joiners.new_members, 0) as new_members,
    (
        sum(coalesce(joiners.new_members, 0)) over (
            partition by months.program_sk
            order by months.month_start
        )
    )::bigint as members,
    months.points_earned,
    months.points_used,
    sum(months.points_earned - months.points_used) over (
        partition by months.program_sk
        order by months.month_start
    ) as points_outstanding,
    round(100 * months.points_used / nullif(months.points_earned, 0), 1) as redemption_rate,
    (months.month_start + interval '1 month')::date <= loyalty_programme.as_of as is_complete
from months
inner join analytics.dim_program on months.program_sk = dim_program.program_sk
left join joiners
    on
        months.program_sk = joiners.program_sk
        and months.month_start = joiners.month_start
$$;

create or replace view mart.vw_loyalty_programme
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    months.*
from mart.vw_latest_snapshot
cross join
    lateral mart.loyalty_programme(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as months
where vw_latest_snapshot.fact_name = 'fact_loyalty_movement';

comment on function mart.loyalty_programme is 'vw_loyalty_programme of one firm at any as_of.';
comment on view mart.vw_loyalty_programme is
'One row per firm, programme and month with a movement of points.';
comment on column mart.vw_loyalty_programme.month_start is 'First day of the month.';
comment on column mart.vw_loyalty_programme.active_members is
'Customers with a movement of points in the month.';
comment on column mart.vw_loyalty_programme.new_members is 'Customers whose first movement is in the month.';
comment on column mart.vw_loyalty_programme.members is
'Customers with a movement up to the end of the month.';
comment on column mart.vw_loyalty_programme.points_earned is 'Points earned in the month.';
comment on column mart.vw_loyalty_programme.points_used is 'Points used in the month.';
comment on column mart.vw_loyalty_programme.points_outstanding is
'Points earned less used up to the end of the month: the firm''s liability in points.';
comment on column mart.vw_loyalty_programme.redemption_rate is
'points_used in percent of points_earned in the month.';
comment on column mart.vw_loyalty_programme.is_complete is 'False if the month had not ended at as_of.';
comment on column mart.vw_loyalty_programme.programme_id is 'Key of the programme.';
comment on column mart.vw_loyalty_programme.program_name is
'Name; null if the programme is known only from movements.';

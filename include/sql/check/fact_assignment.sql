-- fact_assignment: missing or duplicate assignments, and costs that differ from what was staged.
-- Params: :firm_sk, :months.

with staged as (

    select
        count(*) as row_count,
        count(distinct stg_assignments.assignment_id) as key_count,
        count(*) filter (where stg_assignments.is_control) as control_count,
        coalesce(sum(stg_assignments.cost_amount), 0) as cost_amount
    from pg_temp.stg_assignments
    where date_trunc('month', stg_assignments.order_date)::date = any(:months)

),

loaded as (

    select
        count(*) as row_count,
        count(*) filter (where fact_assignment.is_control) as control_count,
        coalesce(sum(fact_assignment.cost_amount), 0) as cost_amount
    from analytics.fact_assignment
    inner join unnest(:months) as replaced (month_start)
        on
            fact_assignment.order_date >= replaced.month_start
            and fact_assignment.order_date < (replaced.month_start + interval '1 month')::date
    where fact_assignment.firm_sk = :firm_sk

)

select
    'loaded assignments or cost differ from what was staged' as fault,
    'staged ' || staged.row_count || ' assignments of ' || staged.cost_amount || ', loaded '
    || loaded.row_count || ' of ' || loaded.cost_amount as sample
from staged
cross join loaded
where
    staged.row_count <> loaded.row_count
    or staged.control_count <> loaded.control_count
    or staged.cost_amount <> loaded.cost_amount

union all

select
    'assignment twice' as fault,
    (staged.row_count - staged.key_count) || ' rows repeat a key' as sample
from staged
where staged.row_count <> staged.key_count;

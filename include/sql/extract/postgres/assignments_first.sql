-- The first day with an assignment, and whether there are any assignments.
-- Grain: one row. Params: :earliest, :latest, :timezone.

with assigned as (

    select case when assigned_at >= :earliest and assigned_at < :latest then assigned_at end as usable_at
    from assignments

)

select
    cast(min(usable_at) at time zone :timezone as date) as first_day,
    count(*) > 0 as has_rows
from assigned

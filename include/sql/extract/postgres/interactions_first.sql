-- The first day with an event, and whether there are any events.
-- Grain: one row. Params: :earliest, :latest, :timezone.

with events as (

    select case when occurred_at >= :earliest and occurred_at < :latest then occurred_at end as usable_at
    from interactions

)

select
    cast(min(usable_at) at time zone :timezone as date) as first_day,
    count(*) > 0 as has_rows
from events

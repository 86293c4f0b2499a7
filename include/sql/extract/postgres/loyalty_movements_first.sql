-- The first day with a movement of points, and whether there are any at all.
-- Grain: one row. Params: :earliest, :latest, :timezone.

with movements as (

    select case when occurred_at >= :earliest and occurred_at < :latest then occurred_at end as usable_at
    from loyalty_movements

)

select
    cast(min(usable_at) at time zone :timezone as date) as first_day,
    count(*) > 0 as has_rows
from movements

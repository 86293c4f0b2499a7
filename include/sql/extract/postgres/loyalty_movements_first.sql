-- The first day with a movement of points, and whether there are any at all.
-- Grain: one row. Params: :earliest, :timezone.

select
    cast(min(occurred_at) at time zone :timezone as date) as first_day,
    exists (select 1 from loyalty_movements) as has_rows
from loyalty_movements
where
    occurred_at >= :earliest
    and occurred_at < 'infinity'

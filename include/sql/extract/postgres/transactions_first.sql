-- The first day with an order or a return, and whether there are any at all.
-- Grain: one row. Params: :earliest, :latest, :timezone.

with firsts as (

    select min(ordered_at) as first_at
    from orders
    where
        ordered_at >= :earliest
        and ordered_at < :latest
    union all
    select min(returned_at) as first_at
    from returns
    where
        returned_at >= :earliest
        and returned_at < :latest

)

select
    cast(min(firsts.first_at) at time zone :timezone as date) as first_day,
    exists (select 1 from orders) or exists (select 1 from returns) as has_rows
from firsts

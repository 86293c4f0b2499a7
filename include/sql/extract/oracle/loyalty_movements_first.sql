-- The first day with a movement of points as a key, and whether there are any movements at all.
-- Grain: one row. Params: :earliest, :latest (local times).

with firsts as (

    select min(cast("DATE" as timestamp(6))) as first_at
    from loyalty_points
    where
        "DATE" >= :earliest
        and "DATE" < :latest

),

one_row as (

    select unique_customer_id
    from loyalty_points
    fetch first 1 rows only

),

counted as (

    select count(*) as has_rows
    from one_row

)

select
    cast(
        extract(year from firsts.first_at) * 10000
        + extract(month from firsts.first_at) * 100
        + extract(day from firsts.first_at)
        as numeric(38, 0)
    ) as first_key,
    cast(counted.has_rows as numeric(38, 0)) as has_rows
from firsts
cross join counted

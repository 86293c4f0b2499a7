-- The first key of a transaction, and whether there are any transactions at all.
-- Grain: one row. Params: :earliest_key, :latest_key (YYYYMMDD).

with firsts as (

    select min(timed_id_transaction) as first_key
    from transactions
    where
        timed_id_transaction >= :earliest_key
        and timed_id_transaction < :latest_key

),

one_row as (

    select transaction_id
    from transactions
    fetch first 1 rows only

),

counted as (

    select count(*) as has_rows
    from one_row

)

select
    cast(firsts.first_key as numeric(38, 0)) as first_key,
    cast(counted.has_rows as numeric(38, 0)) as has_rows
from firsts
cross join counted

-- fact_sales: lines outside the replaced months, duplicate lines, negative inputs, and totals that
-- differ from what was staged.
-- Params: :firm_sk, :months.

with staged as (

    select
        count(*) as line_count,
        coalesce(
            sum(stg_transactions.net_amount) filter (where stg_transactions.kind <> 'return'), 0
        ) - coalesce(
            sum(stg_transactions.net_amount) filter (where stg_transactions.kind = 'return'), 0
        ) as net_amount
    from pg_temp.stg_transactions
    inner join analytics.dim_date on stg_transactions.order_date = dim_date.date_actual
    where dim_date.month_start = any(:months)

),

loaded as (

    select
        count(*) as line_count,
        coalesce(sum(fact_sales.net_amount), 0) as net_amount
    from analytics.fact_sales
    inner join unnest(:months) as replaced (month_start)
        on
            fact_sales.order_date >= replaced.month_start
            and fact_sales.order_date < (replaced.month_start + interval '1 month')::date
    where fact_sales.firm_sk = :firm_sk

),

repeated as (

    select
        stg_transactions.transaction_id,
        stg_transactions.line_id
    from pg_temp.stg_transactions
    group by
        stg_transactions.transaction_id,
        stg_transactions.line_id,
        stg_transactions.kind
    having count(*) > 1

)

select
    'loaded lines or net amount differ from what was staged' as fault,
    'staged ' || staged.line_count || ' lines of ' || staged.net_amount
    || ', loaded ' || loaded.line_count || ' of ' || loaded.net_amount as sample
from staged
cross join loaded
where
    staged.line_count <> loaded.line_count
    or staged.net_amount <> loaded.net_amount

union all

select
    'line twice' as fault,
    'transaction ' || repeated.transaction_id || ' line ' || repeated.line_id as sample
from repeated

union all

select
    'negative staged amount or quantity' as fault,
    'transaction ' || stg_transactions.transaction_id || ' line ' || stg_transactions.line_id as sample
from pg_temp.stg_transactions
where
    stg_transactions.quantity < 0
    or stg_transactions.gross_amount < 0
    or stg_transactions.discount_amount < 0

union all

select
    'order_date outside 1990 to 2100' as fault,
    'transaction ' || stg_transactions.transaction_id || ' on ' || stg_transactions.order_date as sample
from pg_temp.stg_transactions
where
    stg_transactions.order_date < date '1990-01-01'
    or stg_transactions.order_date > date '2100-12-31';

-- transactions: one row per state of a transaction, unusable ones with their reason.
-- Grain: transaction_id, line_id, kind.
-- Params: :window_key, :window_end_key (YYYYMMDD, a day wider than the month on both sides),
-- :month_key, :month_end_key, :as_of_key, :earliest_key, :latest_key (YYYYMMDD),
-- :month_start, :month_end, :as_of_start, :earliest, :latest (the firm's local times; ends are exclusive),
-- :takes_undated (1: this month also yields rows without a usable key).

-- The key limits the scan; the time decides, because a shop that closes after midnight uses the day before.
with keyed as (

    select
        transaction_id,
        unique_customer_id,
        trx_date,
        amount,
        amount_after_discount,
        trx_state_id,
        is_deleted,
        timed_id_transaction,
        dwh_program_id,
        1 as is_keyed
    from transactions
    where
        timed_id_transaction >= :window_key
        and timed_id_transaction < :window_end_key
        and timed_id_transaction >= :earliest_key
    union all
    select
        transaction_id,
        unique_customer_id,
        trx_date,
        amount,
        amount_after_discount,
        trx_state_id,
        is_deleted,
        timed_id_transaction,
        dwh_program_id,
        0 as is_keyed
    from transactions
    where
        :takes_undated = 1
        and (
            timed_id_transaction is null
            or timed_id_transaction < :earliest_key
            or timed_id_transaction >= :latest_key
        )

),

-- Adding a day to a placeholder such as 9999-12-31 is an error in Oracle, so such values are removed first.
placed as (

    select
        keyed.*,
        case
            when keyed.trx_date >= :earliest and keyed.trx_date < :latest
                then cast(keyed.trx_date as timestamp(6))
        end as occurred_local,
        nullif(cast(keyed.trx_state_id as varchar(40)), '') as state_text
    from keyed

),

compared as (

    select
        placed.*,
        case
            when placed.is_keyed = 0 then 0
            when
                placed.timed_id_transaction in (
                    extract(year from placed.occurred_local) * 10000
                    + extract(month from placed.occurred_local) * 100
                    + extract(day from placed.occurred_local),
                    extract(year from placed.occurred_local - interval '1' day) * 10000
                    + extract(month from placed.occurred_local - interval '1' day) * 100
                    + extract(day from placed.occurred_local - interval '1' day),
                    extract(year from placed.occurred_local + interval '1' day) * 10000
                    + extract(month from placed.occurred_local + interval '1' day) * 100
                    + extract(day from placed.occurred_local + interval '1' day)
                )
                then 1
            else 0
        end as is_agreed
    from placed

),

-- Each row belongs to one month: that of its time or, if the two disagree, of its key.
known as (

    select
        compared.*,
        nullif(cast(compared.transaction_id as varchar(4000)), '') as transaction_text,
        coalesce(nullif(cast(compared.is_deleted as varchar(40)), ''), '0') as deleted_text,
        case when compared.state_text = '3' then abs(compared.amount) else compared.amount end as gross,
        case
            when compared.state_text = '3' then abs(coalesce(compared.amount_after_discount, compared.amount))
            else coalesce(compared.amount_after_discount, compared.amount)
        end as net
    from compared
    where
        (
            compared.is_agreed = 1
            and compared.occurred_local >= :month_start
            and compared.occurred_local < :month_end
            and compared.occurred_local < :as_of_start
        )
        or (
            compared.is_keyed = 1
            and compared.is_agreed = 0
            and compared.timed_id_transaction >= :month_key
            and compared.timed_id_transaction < :month_end_key
            and compared.timed_id_transaction < :as_of_key
        )
        or compared.is_keyed = 0

),

judged as (

    select
        known.*,
        case
            when known.deleted_text not in ('0', 'N', 'n') then 'deleted'
            when known.transaction_text is null then 'missing_id'
            when known.is_keyed = 0 or known.occurred_local is null then 'bad_date'
            when known.is_agreed = 0 then 'dates_disagree'
            when known.state_text is null or known.state_text not in ('1', '3') then 'unknown_state'
            when known.amount is null then 'missing_number'
            when not (abs(known.gross) < 1e14 and abs(known.net) < 1e14) then 'bad_number'
            when known.gross < 0 or known.net < 0 then 'negative_amount'
            when known.net > known.gross then 'net_over_gross'
        end as fault
    from known

)

-- rtrim: Oracle may pad the constants of a CASE to the longest. Casts are outermost: a number is
-- fetched as a decimal only if the column has a precision, which a CASE has not.
select
    transaction_text as transaction_id,
    state_text as line_id,
    cast(occurred_local as timestamp(6)) as occurred_local,
    cast(null as varchar(40)) as product_id,
    cast(1 as numeric(18, 4)) as quantity,
    cast(null as numeric(18, 4)) as margin_amount,
    cast(null as varchar(40)) as channel,
    cast(null as varchar(40)) as payment_method,
    cast(timed_id_transaction as varchar(40)) as timed_id_transaction,
    cast(amount as varchar(4000)) as amount,
    cast(amount_after_discount as varchar(4000)) as amount_after_discount,
    deleted_text as is_deleted,
    cast(case when abs(gross) < 1e14 then gross end as numeric(18, 4)) as gross_amount,
    cast(
        case when abs(gross) < 1e14 and abs(net) < 1e14 then round(gross, 4) - round(net, 4) end
        as numeric(18, 4)
    ) as discount_amount,
    cast(case when abs(net) < 1e14 then net end as numeric(18, 4)) as net_amount,
    to_char(trx_date, 'YYYY-MM-DD HH24:MI:SS BC') as trx_date,
    rtrim(case when state_text = '1' then 'sale' when state_text = '3' then 'return' end) as kind,
    nullif(cast(unique_customer_id as varchar(4000)), '') as customer_id,
    nullif(cast(dwh_program_id as varchar(4000)), '') as programme_id,
    rtrim(fault) as rejected_reason
from judged

-- loyalty_movements: one row per earning or use of points, unusable ones with their reason.
-- Grain: movement_id (the table has no key: customer, day, 1HHMMSS, and the number among equals).
-- Params: :month_start, :month_end, :as_of_start, :earliest, :latest (the firm's local times;
-- ends are exclusive), :takes_undated (1: this month also yields movements without a usable date).

with dated as (

    select
        unique_customer_id,
        dwh_program_id,
        points_earned,
        points_used,
        cast(null as varchar(40)) as written_at,
        cast("DATE" as timestamp(6)) as occurred_local
    from loyalty_points
    where
        "DATE" >= :month_start
        and "DATE" < :month_end
        and "DATE" < :as_of_start
    union all
    select
        unique_customer_id,
        dwh_program_id,
        points_earned,
        points_used,
        to_char("DATE", 'YYYY-MM-DD HH24:MI:SS BC') as written_at,
        cast(null as timestamp(6)) as occurred_local
    from loyalty_points
    where
        :takes_undated = 1
        and ("DATE" is null or "DATE" < :earliest or "DATE" >= :latest)

),

typed as (

    select
        dated.*,
        nullif(cast(dated.unique_customer_id as varchar(4000)), '') as customer_text,
        nullif(cast(dated.dwh_program_id as varchar(4000)), '') as programme_text,
        coalesce(dated.points_earned, 0) as earned,
        coalesce(dated.points_used, 0) as used
    from dated

),

judged as (

    select
        typed.*,
        cast(
            extract(year from typed.occurred_local) * 10000
            + extract(month from typed.occurred_local) * 100
            + extract(day from typed.occurred_local)
            as numeric(8, 0)
        ) as day_key,
        cast(
            1000000
            + extract(hour from typed.occurred_local) * 10000
            + extract(minute from typed.occurred_local) * 100
            + floor(extract(second from typed.occurred_local))
            as numeric(7, 0)
        ) as clock_key,
        case
            when typed.occurred_local is null then 'bad_date'
            when typed.customer_text is null then 'missing_customer'
            when typed.points_earned is null and typed.points_used is null then 'missing_number'
            when not (abs(typed.earned) < 1e14 and abs(typed.used) < 1e14) then 'bad_number'
            when typed.earned < 0 or typed.used < 0 then 'negative_points'
        end as fault
    from typed

),

numbered as (

    select
        judged.*,
        row_number() over (
            partition by judged.customer_text, judged.day_key, judged.clock_key, judged.fault
            order by judged.occurred_local, judged.programme_text, judged.earned, judged.used
        ) as copy_number
    from judged

)

select
    written_at,
    cast(occurred_local as timestamp(6)) as occurred_local,
    customer_text as customer_id,
    programme_text as programme_id,
    cast(null as varchar(40)) as transaction_id,
    cast(case when abs(earned) < 1e14 then earned end as numeric(18, 4)) as points_earned,
    cast(case when abs(used) < 1e14 then used end as numeric(18, 4)) as points_used,
    case
        when fault is null
            then
                customer_text || '/' || cast(day_key as varchar(40)) || '/'
                || cast(clock_key as varchar(40)) || '/' || cast(copy_number as varchar(40))
    end as movement_id,
    rtrim(fault) as rejected_reason
from numbered

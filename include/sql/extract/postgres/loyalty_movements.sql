-- loyalty_movements: one row per earning or use of points, unusable ones with their reason.
-- Grain: movement_id.
-- Params: :month_start, :month_end, :as_of_start (instants; ends are exclusive), :earliest, :latest,
-- :timezone, :takes_undated (this month also yields movements without a usable date).

with movements as (

    select
        movement_id,
        customer_id,
        programme_id,
        order_id,
        points_earned,
        points_used,
        cast(occurred_at as text) as written_at,
        case when occurred_at >= :earliest and occurred_at < :latest then occurred_at end as occurred_at
    from loyalty_movements
    where
        (occurred_at >= :month_start and occurred_at < :month_end and occurred_at < :as_of_start)
        or (:takes_undated and (occurred_at is null or occurred_at < :earliest or occurred_at >= :latest))

),

-- NaN is greater than every number, so the range test rejects it, like infinity.
judged as (

    select
        movements.*,
        case
            when movements.occurred_at is null then 'bad_date'
            when coalesce(cast(movements.movement_id as text), '') = '' then 'missing_id'
            when coalesce(cast(movements.customer_id as text), '') = '' then 'missing_customer'
            when movements.points_earned is null or movements.points_used is null then 'missing_number'
            when
                not (abs(movements.points_earned) < 1e14 and abs(movements.points_used) < 1e14)
                then 'bad_number'
            when movements.points_earned < 0 or movements.points_used < 0 then 'negative_points'
        end as rejected_reason
    from movements

)

select
    cast(judged.movement_id as text) as movement_id,
    judged.occurred_at,
    cast(judged.occurred_at at time zone :timezone as date) as order_date,
    judged.rejected_reason,
    nullif(cast(judged.customer_id as text), '') as customer_id,
    nullif(cast(judged.programme_id as text), '') as programme_id,
    nullif(cast(judged.order_id as text), '') as transaction_id,
    case
        when abs(judged.points_earned) < 1e14 then cast(round(judged.points_earned, 4) as text)
    end as points_earned,
    case when abs(judged.points_used) < 1e14 then cast(round(judged.points_used, 4) as text) end
        as points_used,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

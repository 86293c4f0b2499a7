-- loyalty_movements: one row per line of a loyalty card's history (version 18 on).
-- Grain: movement_id.
-- Params: :month_start, :month_end, :as_of_start (instants; ends are exclusive), :earliest, :latest,
-- :timezone, :takes_undated (this month also yields movements without a usable date), :company_id.

with movements as (

    select
        loyalty_history.id,
        loyalty_history.order_model,
        loyalty_history.order_id,
        loyalty_history.issued,
        loyalty_history.used,
        loyalty_card.program_id,
        loyalty_card.partner_id,
        cast(loyalty_history.create_date as text) as written_at,
        case
            when
                loyalty_history.create_date >= cast(:earliest as timestamp with time zone) at time zone 'UTC'
                and loyalty_history.create_date < cast(:latest as timestamp with time zone) at time zone 'UTC'
                then loyalty_history.create_date at time zone 'UTC'
        end as occurred_at
    from loyalty_history
    inner join loyalty_card
        on loyalty_history.card_id = loyalty_card.id
    where
        (loyalty_card.company_id is null or loyalty_card.company_id = :company_id)
        and (
            (
                loyalty_history.create_date
                >= cast(:month_start as timestamp with time zone) at time zone 'UTC'
                and loyalty_history.create_date
                < cast(:month_end as timestamp with time zone) at time zone 'UTC'
                and loyalty_history.create_date
                < cast(:as_of_start as timestamp with time zone) at time zone 'UTC'
            )
            or (
                :takes_undated
                and (
                    loyalty_history.create_date is null
                    or loyalty_history.create_date
                    < cast(:earliest as timestamp with time zone) at time zone 'UTC'
                    or loyalty_history.create_date
                    >= cast(:latest as timestamp with time zone) at time zone 'UTC'
                )
            )
        )

),

judged as (

    select
        movements.*,
        cast(coalesce(res_partner.commercial_partner_id, movements.partner_id) as text) as customer_id,
        case
            when movements.occurred_at is null then 'bad_date'
            when movements.partner_id is null then 'missing_customer'
            when movements.issued is null and movements.used is null then 'missing_number'
            when
                not (
                    abs(coalesce(movements.issued, 0)) < 1e14 and abs(coalesce(movements.used, 0)) < 1e14
                )
                then 'bad_number'
            when movements.issued < 0 or movements.used < 0 then 'negative_points'
        end as rejected_reason
    from movements
    left join res_partner
        on movements.partner_id = res_partner.id

)

select
    cast(judged.id as text) as movement_id,
    judged.occurred_at,
    cast(judged.occurred_at at time zone :timezone as date) as order_date,
    judged.customer_id,
    judged.rejected_reason,
    cast(judged.program_id as text) as programme_id,
    case when judged.order_id > 0 then judged.order_model || ',' || judged.order_id end as transaction_id,
    case
        when abs(coalesce(judged.issued, 0)) < 1e14
            then cast(round(cast(coalesce(judged.issued, 0) as numeric), 4) as text)
    end as points_earned,
    case
        when abs(coalesce(judged.used, 0)) < 1e14
            then cast(round(cast(coalesce(judged.used, 0) as numeric), 4) as text)
    end as points_used,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

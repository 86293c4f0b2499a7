-- The first day with a movement of points, and whether there are any at all.
-- Grain: one row. Params: :earliest, :latest, :timezone, :company_id.

with movements as (

    select
        case
            when
                loyalty_history.create_date >= cast(:earliest as timestamp with time zone) at time zone 'UTC'
                and loyalty_history.create_date < cast(:latest as timestamp with time zone) at time zone 'UTC'
                then loyalty_history.create_date at time zone 'UTC'
        end as usable_at
    from loyalty_history
    inner join loyalty_card
        on loyalty_history.card_id = loyalty_card.id
    where
        loyalty_card.company_id is null
        or loyalty_card.company_id = :company_id

)

select
    cast(min(usable_at) at time zone :timezone as date) as first_day,
    count(*) > 0 as has_rows
from movements

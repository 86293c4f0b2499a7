-- customers: one row per customer with a usable line before as_of, with the place of the last line and the
-- last known consent; of lines at one instant, a refusal counts.
-- Grain: customer_id. Params: :as_of (exclusive). Reads lines: what a layout's transactions.sql gave.

with places as (

    select
        customer_id,
        country,
        city,
        min(order_date) as first_date,
        max(occurred_at) as last_at
    from lines
    where
        customer_id is not null
        and rejected_reason is null
        and order_date < :as_of
    group by
        customer_id,
        country,
        city

),

ranked as (

    select
        places.*,
        min(places.first_date) over (partition by places.customer_id) as joined_date,
        row_number() over (
            partition by places.customer_id
            order by
                places.last_at desc,
                places.country asc nulls last,
                places.city asc nulls last
        ) as nth
    from places

),

answers as (

    select
        customer_id,
        occurred_at,
        bool_and(may_contact) as may_contact
    from lines
    where
        may_contact is not null
        and customer_id is not null
        and rejected_reason is null
        and order_date < :as_of
    group by
        customer_id,
        occurred_at

),

consents as (

    select
        customer_id,
        arg_max(may_contact, occurred_at) as may_contact
    from answers
    group by customer_id

)

select
    ranked.customer_id,
    ranked.city,
    ranked.country,
    ranked.joined_date,
    consents.may_contact,
    cast(null as varchar) as full_name,
    cast(null as varchar) as email,
    cast(null as varchar) as phone,
    cast(null as date) as birth_date,
    cast(null as varchar) as gender,
    cast(null as varchar) as acquisition_channel,
    cast(null as varchar) as age_band,
    cast(null as varchar) as income_band,
    cast(null as varchar) as household_size,
    cast(null as varchar) as rejected_reason,
    cast(null as varchar) as source_row
from ranked
left join consents on ranked.customer_id = consents.customer_id
where ranked.nth = 1

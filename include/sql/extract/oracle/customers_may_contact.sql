-- customers: one row per customer; the schema has no creation date, but column may_contact: 1 or 0, Y or N.
-- Grain: customer_id. No params.
-- An impossible date of birth becomes null.

with typed as (

    select
        birth_date,
        gender,
        city,
        lower(trim(cast(may_contact as varchar(40)))) as consent_text,
        nullif(cast(unique_customer_id as varchar(4000)), '') as customer_text
    from customers

)

select
    customer_text as customer_id,
    cast(null as varchar(40)) as full_name,
    cast(null as varchar(40)) as email,
    cast(null as varchar(40)) as phone,
    cast(null as varchar(40)) as country,
    cast(null as timestamp(6)) as joined_date,
    cast(null as varchar(40)) as acquisition_channel,
    cast(null as varchar(40)) as age_band,
    cast(null as varchar(40)) as income_band,
    cast(null as varchar(40)) as household_size,
    cast(
        case
            when consent_text in ('1', 'y', 'yes') then '1'
            when consent_text in ('0', 'n', 'no') then '0'
        end
        as varchar(40)
    ) as may_contact,
    cast(
        case
            when
                birth_date >= timestamp '1900-01-01 00:00:00'
                and birth_date < timestamp '2100-01-01 00:00:00'
                then birth_date
        end
        as timestamp(6)
    ) as birth_date,
    nullif(cast(gender as varchar(4000)), '') as gender,
    nullif(cast(city as varchar(4000)), '') as city,
    case when customer_text is null then 'missing_id' end as rejected_reason
from typed

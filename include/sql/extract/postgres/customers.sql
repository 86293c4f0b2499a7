-- customers: one row per customer known before as_of.
-- Grain: customer_id. Params: :as_of_start (an instant, exclusive), :latest, :timezone.
-- An impossible date of birth or joining becomes null; without a joining day the customer is always included.

select
    cast(customer_id as text) as customer_id,
    nullif(full_name, '') as full_name,
    nullif(email, '') as email,
    nullif(phone, '') as phone,
    case
        when birth_date between date '1900-01-01' and date '2099-12-31' then birth_date
    end as birth_date,
    nullif(gender, '') as gender,
    nullif(city, '') as city,
    nullif(country, '') as country,
    case
        when created_at >= timestamptz '1900-01-01' and created_at < :as_of_start
            then cast(created_at at time zone :timezone as date)
    end as joined_date,
    nullif(acquisition_channel, '') as acquisition_channel,
    nullif(age_band, '') as age_band,
    nullif(income_band, '') as income_band,
    nullif(household_size, '') as household_size,
    case when coalesce(cast(customer_id as text), '') = '' then 'missing_id' end as rejected_reason,
    case
        when coalesce(cast(customer_id as text), '') = ''
            then cast(json_build_object('created_at', created_at) as text)
    end as source_row
from customers
where
    created_at < :as_of_start
    or created_at >= :latest
    or created_at is null

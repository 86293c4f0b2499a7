-- customers: one row per customer known before as_of.
-- Grain: customer_id. Params: :as_of_start (an instant, exclusive), :latest, :timezone.
-- An impossible date of birth or joining becomes null; without a joining day the customer is always included.
-- Column may_contact may be missing, so it is read through to_jsonb; a boolean, or yes and no as text.

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
    case
        when lower(to_jsonb(customers) ->> 'may_contact') in ('true', 't', 'yes', 'y', '1') then true
        when lower(to_jsonb(customers) ->> 'may_contact') in ('false', 'f', 'no', 'n', '0') then false
    end as may_contact,
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

-- dim_customer: one row per customer of a firm, with the attributes of the latest snapshot that has it.
-- Grain: customer_id. Params: :firm_sk, :as_of.

insert into analytics.dim_customer (
    firm_sk,
    customer_id,
    gender,
    city,
    country,
    joined_date,
    acquisition_channel,
    age_band,
    income_band,
    household_size,
    may_contact,
    as_of
)
select
    :firm_sk as firm_sk,
    stg_customers.customer_id,
    stg_customers.gender,
    stg_customers.city,
    stg_customers.country,
    stg_customers.joined_date,
    stg_customers.acquisition_channel,
    stg_customers.age_band,
    stg_customers.income_band,
    stg_customers.household_size,
    stg_customers.may_contact,
    :as_of as as_of
from pg_temp.stg_customers
left join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_customers.customer_id = dim_customer.customer_id
where dim_customer.customer_sk is null
order by stg_customers.customer_id
on conflict (firm_sk, customer_id) do nothing;

update analytics.dim_customer
set
    gender = stg_customers.gender,
    city = stg_customers.city,
    country = stg_customers.country,
    joined_date = stg_customers.joined_date,
    acquisition_channel = stg_customers.acquisition_channel,
    age_band = stg_customers.age_band,
    income_band = stg_customers.income_band,
    household_size = stg_customers.household_size,
    may_contact = stg_customers.may_contact,
    as_of = :as_of
from pg_temp.stg_customers
where
    dim_customer.firm_sk = :firm_sk
    and dim_customer.customer_id = stg_customers.customer_id
    and (dim_customer.as_of is null or dim_customer.as_of <= :as_of)
    and (
        dim_customer.as_of,
        dim_customer.gender,
        dim_customer.city,
        dim_customer.country,
        dim_customer.joined_date,
        dim_customer.acquisition_channel,
        dim_customer.age_band,
        dim_customer.income_band,
        dim_customer.household_size,
        dim_customer.may_contact
    ) is distinct from (
        :as_of,
        stg_customers.gender,
        stg_customers.city,
        stg_customers.country,
        stg_customers.joined_date,
        stg_customers.acquisition_channel,
        stg_customers.age_band,
        stg_customers.income_band,
        stg_customers.household_size,
        stg_customers.may_contact
    );

-- Contact data follows the same snapshot, in its own schema.
insert into pii.customer_contact (customer_sk, firm_sk, full_name, email, phone, birth_date)
select
    dim_customer.customer_sk,
    dim_customer.firm_sk,
    stg_customers.full_name,
    stg_customers.email,
    stg_customers.phone,
    stg_customers.birth_date
from pg_temp.stg_customers
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_customers.customer_id = dim_customer.customer_id
left join pii.customer_contact
    on
        dim_customer.firm_sk = customer_contact.firm_sk
        and dim_customer.customer_sk = customer_contact.customer_sk
where
    dim_customer.as_of = :as_of
    and (
        customer_contact.full_name,
        customer_contact.email,
        customer_contact.phone,
        customer_contact.birth_date
    ) is distinct from (
        stg_customers.full_name,
        stg_customers.email,
        stg_customers.phone,
        stg_customers.birth_date
    )
order by dim_customer.customer_sk
on conflict (firm_sk, customer_sk) do update
    set
        full_name = excluded.full_name,
        email = excluded.email,
        phone = excluded.phone,
        birth_date = excluded.birth_date;

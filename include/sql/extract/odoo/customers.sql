-- customers: one row per commercial partner that is a customer, known before as_of.
-- Grain: customer_id. Params: :as_of_start (an instant, exclusive), :latest, :timezone, :company_id.
-- An impossible joining day becomes null; the customer is then always included.
-- A customer has a customer rank, an order or a credit note; contacts and addresses of a
-- company count as the company. Archived partners are included: their sales are not archived.

with visitors as (

    select partner_id
    from res_users
    where
        login = 'public'
        or login like 'public-user@company-%'

),

buyers as (

    select partner_id
    from sale_order
    where
        company_id = :company_id
        and state in ('sale', 'done', 'cancel')
        and date_order < cast(:as_of_start as timestamp with time zone) at time zone 'UTC'
    union
    select partner_id
    from account_move
    where
        company_id = :company_id
        and move_type = 'out_refund'
        and state = 'posted'
        and invoice_date
        < cast(cast(:as_of_start as timestamp with time zone) at time zone :timezone as date)

),

customer_ids as (

    select coalesce(res_partner.commercial_partner_id, res_partner.id) as customer_id
    from buyers
    inner join res_partner
        on buyers.partner_id = res_partner.id
    where buyers.partner_id not in (select visitors.partner_id from visitors)
    union
    select coalesce(commercial_partner_id, id) as customer_id
    from res_partner
    where
        customer_rank > 0
        and (company_id is null or company_id = :company_id)
        and (
            create_date is null
            or create_date < cast(:as_of_start as timestamp with time zone) at time zone 'UTC'
            or create_date >= cast(:latest as timestamp with time zone) at time zone 'UTC'
        )

),

-- The newest version has no mobile column, older ones have no normalised e-mail address.
partners as (

    select
        res_partner.id,
        res_partner.name,
        res_partner.email,
        res_partner.phone,
        res_partner.city,
        res_partner.country_id,
        res_partner.create_date,
        to_jsonb(res_partner) ->> 'mobile' as mobile,
        to_jsonb(res_partner) ->> 'email_normalized' as email_normalized
    from res_partner
    inner join customer_ids
        on res_partner.id = customer_ids.customer_id

)

select
    cast(partners.id as text) as customer_id,
    cast(null as date) as birth_date,
    cast(null as text) as gender,
    cast(null as text) as acquisition_channel,
    cast(null as text) as age_band,
    cast(null as text) as income_band,
    cast(null as text) as household_size,
    cast(null as boolean) as may_contact,
    cast(null as text) as rejected_reason,
    cast(null as text) as source_row,
    nullif(partners.name, '') as full_name,
    coalesce(nullif(partners.email_normalized, ''), nullif(partners.email, '')) as email,
    coalesce(nullif(partners.phone, ''), nullif(partners.mobile, '')) as phone,
    nullif(partners.city, '') as city,
    nullif(res_country.code, '') as country,
    case
        when
            partners.create_date >= timestamp '1900-01-01'
            and partners.create_date < cast(:latest as timestamp with time zone) at time zone 'UTC'
            then cast(partners.create_date at time zone 'UTC' at time zone :timezone as date)
    end as joined_date
from partners
left join res_country
    on partners.country_id = res_country.id

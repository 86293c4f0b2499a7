-- customers_mail_blacklist: customers, and whether their address is on Odoo's blacklist of e-mails.
-- Grain: customer_id. No params. Reads known_customers: the rows of customers.sql. Other consent is unknown.

select
    known_customers.customer_id,
    known_customers.full_name,
    known_customers.email,
    known_customers.phone,
    known_customers.birth_date,
    known_customers.gender,
    known_customers.city,
    known_customers.country,
    known_customers.joined_date,
    known_customers.acquisition_channel,
    known_customers.age_band,
    known_customers.income_band,
    known_customers.household_size,
    known_customers.rejected_reason,
    known_customers.source_row,
    case
        when
            exists (
                select 1
                from mail_blacklist
                where
                    mail_blacklist.active
                    and lower(mail_blacklist.email) = lower(known_customers.email)
            )
            then false
    end as may_contact
from known_customers

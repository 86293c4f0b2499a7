-- vw_outreach_contact: contact details of each customer, only for the role outreach.
-- Grain: firm_key, customer_id.

create or replace view mart.vw_outreach_contact
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    dim_customer.customer_id,
    customer_contact.full_name,
    customer_contact.email,
    customer_contact.phone,
    customer_contact.birth_date,
    dim_customer.may_contact
from pii.customer_contact
inner join analytics.dim_customer
    on
        customer_contact.firm_sk = dim_customer.firm_sk
        and customer_contact.customer_sk = dim_customer.customer_sk
inner join analytics.dim_firm on customer_contact.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_outreach_contact is
'One row per customer with contact details. Only the role outreach may read it, for the firms granted.';
comment on column mart.vw_outreach_contact.may_contact is
'Whether the customer may be sent offers: do not write to customers with false; null: unknown.';

-- page_consent: customers whose consent the file states, and those who get no action because of it.
-- Grain: one row. No params: its inputs have one as_of.

select
    count(customers.may_contact) as answered_customers,
    count(*) filter (where actions.exclusion = 'unsubscribed') as excluded_customers
from customers
left join actions on customers.customer_id = actions.customer_id

-- dim_customer: staged customers that are blank or missing from the table.
-- Params: :firm_sk.

select
    'blank customer_id' as fault,
    to_json(stg_customers.customer_id)::text as sample
from pg_temp.stg_customers
where btrim(stg_customers.customer_id) = ''

union all

select
    'customer missing from dim_customer' as fault,
    stg_customers.customer_id as sample
from pg_temp.stg_customers
left join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_customers.customer_id = dim_customer.customer_id
where dim_customer.customer_sk is null;

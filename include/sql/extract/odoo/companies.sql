-- The companies of a database and their currencies.
-- Grain: company_id. No params.

select
    res_company.id as company_id,
    res_company.name as company_name,
    res_currency.name as currency
from res_company
inner join res_currency
    on res_company.currency_id = res_currency.id
order by res_company.id

-- page_buyers: orders and net sales by kind of buyer: customers, guests, customers with returns only.
-- Grain: buyer. Params: :as_of (exclusive).

select
    case
        when transactions.customer_id is null then 'guest'
        when customer_summary.customer_id is null then 'returns_only'
        else 'customer'
    end as buyer,
    count(distinct case when transactions.kind = 'sale' then transactions.transaction_id end) as orders,
    sum(case when transactions.kind = 'sale' then transactions.net_amount else -transactions.net_amount end)
        as net_sales
from transactions
left join customer_summary on transactions.customer_id = customer_summary.customer_id
where transactions.order_date < :as_of
group by buyer
order by buyer

-- page_months: orders, net sales and new customers by month, of customers with a sale before as_of.
-- Grain: month_start. Params: :as_of (exclusive).

with firsts as (

    select
        date_trunc('month', first_order_date) as month_start,
        count(*) as new_customers
    from customer_summary
    group by month_start

),

months as (

    select
        date_trunc('month', customer_days.order_date) as month_start,
        sum(customer_days.order_count) as orders,
        sum(customer_days.net_amount) as net_sales
    from customer_days
    inner join customer_summary on customer_days.customer_id = customer_summary.customer_id
    where customer_days.order_date < :as_of
    group by month_start

)

select
    cast(months.month_start as date) as month_start,
    months.orders,
    months.net_sales,
    coalesce(firsts.new_customers, 0) as new_customers
from months
left join firsts on months.month_start = firsts.month_start
order by months.month_start

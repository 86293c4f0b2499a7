-- page_customers: totals of all customers with a sale before as_of.
-- Grain: one row. No params: customer_summary has one as_of.

select
    count(*) as customers,
    sum(order_count) as orders,
    sum(total_spend) as net_sales,
    sum(case when order_count = 1 then 1 else 0 end) as one_time_customers,
    sum(case when frequency > 0 then 1 else 0 end) as repeat_customers,
    median(total_spend) as median_spend,
    median(avg_days_between_orders) as median_gap_days,
    min(first_order_date) as first_day,
    max(last_order_date) as last_day
from customer_summary

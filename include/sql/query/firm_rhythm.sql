-- firm_rhythm: one row: customers, repeat customers, and the median of their mean gap between sale days.
-- Grain: customers. No params: its input has one as_of.

select
    count(*) as customers,
    count(avg_days_between_orders) as repeat_customers,
    median(avg_days_between_orders) as median_days_between_orders
from customer_summary

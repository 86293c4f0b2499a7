-- segments: the firm's customers by RFM segment.
-- Grain: rfm_segment. Params: :firm_key, :as_of.

select
    shown.rfm_segment,
    shown.segment_code,
    shown.customer_count,
    shown.pct_of_customers,
    shown.total_revenue_365,
    shown.avg_revenue_per_customer,
    shown.avg_orders_per_customer,
    shown.avg_order_value,
    shown.avg_days_since_last_order,
    shown.active_last_30_days,
    shown.inactive_over_90_days,
    shown.value_tier
from mart.rfm_segment_summary(:firm_key, :as_of) as shown
order by
    shown.customer_count desc,
    shown.rfm_segment asc;

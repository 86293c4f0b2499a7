-- cohorts: customers by month of the first order, and how many came back.
-- Grain: cohort_month, activity_month. Params: :firm_key, :as_of.

select
    shown.cohort_month,
    shown.activity_month,
    shown.months_since_acquisition,
    shown.cohort_size,
    shown.active_customers,
    shown.retention_pct,
    shown.cohort_revenue,
    shown.avg_revenue_per_customer,
    shown.is_complete
from mart.customer_cohort_analysis(:firm_key, :as_of) as shown
order by
    shown.cohort_month,
    shown.activity_month;

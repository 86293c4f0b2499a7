-- page_cohorts: customers of a cohort (period of the first sale) who bought in each later period.
-- Grain: cohort_start, age. Params: :as_of (exclusive), :grain ('month', 'quarter' or 'year').

with days as (

    select
        customer_days.customer_id,
        customer_days.order_date,
        customer_summary.first_order_date
    from customer_days
    inner join customer_summary on customer_days.customer_id = customer_summary.customer_id
    where
        customer_days.order_count > 0
        and customer_days.order_date < :as_of

)

select
    cast(date_trunc(:grain, first_order_date) as date) as cohort_start,
    date_diff(:grain, first_order_date, order_date) as age,
    count(distinct customer_id) as customers
from days
group by
    cohort_start,
    age
order by
    cohort_start,
    age

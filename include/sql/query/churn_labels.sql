-- churn_labels: whether each customer has no sale in the :churn_threshold_days from :as_of on.
-- Grain: customer_id. The window is [as_of, as_of + churn_threshold_days): no earlier day is read.

with buyers as (

    select distinct customer_id
    from customer_days
    where
        order_count > 0
        and order_date >= :as_of
        and date_diff('day', cast(:as_of as date), order_date) < :churn_threshold_days

)

select
    customer_features.customer_id,
    buyers.customer_id is null as is_churned
from customer_features
left join buyers on customer_features.customer_id = buyers.customer_id
order by customer_features.customer_id

-- bands: training customers by days since the last order and by number of orders, and how many churned.
-- Grain: silence_band, order_band. Params: :churn_threshold_days.
-- A silence band is days since the last order over the churn threshold: 1 below 1/4, 2 below 1/2, 3 below 1,
-- 4 below 2, 5 from 2 on. An order band is 1: one order, 2: two, 3: to four, 4: to nine, 5: ten or more.

with banded as (

    select
        is_churned,
        case
            when 4 * days_since_last_order < :churn_threshold_days then 1
            when 2 * days_since_last_order < :churn_threshold_days then 2
            when days_since_last_order < :churn_threshold_days then 3
            when days_since_last_order < 2 * :churn_threshold_days then 4
            else 5
        end as silence_band,
        case
            when order_count <= 1 then 1
            when order_count = 2 then 2
            when order_count <= 4 then 3
            when order_count <= 9 then 4
            else 5
        end as order_band
    from churn_training
    where not is_blind

)

select
    silence_band,
    order_band,
    count(*) as customers,
    count(case when is_churned then 1 end) as churned
from banded
group by
    silence_band,
    order_band
order by
    silence_band,
    order_band

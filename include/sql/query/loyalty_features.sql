-- loyalty_features: points a customer earned and used. Customers without a movement have no row.
-- Grain: customer_id. Params: :as_of (exclusive).

with movements as (

    select
        customer_id,
        programme_id,
        points_earned,
        points_used,
        date_diff('day', order_date, cast(:as_of as date)) as days_ago
    from loyalty_movements
    where order_date < :as_of

)

select
    customer_id,
    count(*) as movement_count,
    sum(points_earned) as points_earned,
    sum(points_used) as points_used,
    sum(points_earned) - sum(points_used) as points_balance,
    cast(sum(points_used) as double) / nullif(cast(sum(points_earned) as double), 0) as points_used_share,
    count(case when days_ago <= 30 then 1 end) as movement_count_30_days,
    sum(case when days_ago <= 30 then points_earned else 0 end) as points_earned_30_days,
    sum(case when days_ago <= 30 then points_used else 0 end) as points_used_30_days,
    count(case when days_ago <= 90 then 1 end) as movement_count_90_days,
    sum(case when days_ago <= 90 then points_earned else 0 end) as points_earned_90_days,
    sum(case when days_ago <= 90 then points_used else 0 end) as points_used_90_days,
    count(case when days_ago <= 365 then 1 end) as movement_count_365_days,
    sum(case when days_ago <= 365 then points_earned else 0 end) as points_earned_365_days,
    sum(case when days_ago <= 365 then points_used else 0 end) as points_used_365_days,
    min(days_ago) as days_since_last_movement,
    min(case when points_earned > 0 then days_ago end) as days_since_points_earned,
    min(case when points_used > 0 then days_ago end) as days_since_points_used,
    max(days_ago) as days_since_first_movement,
    count(distinct programme_id) as loyalty_programme_count
from movements
group by customer_id
order by customer_id

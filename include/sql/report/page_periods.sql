-- page_periods: customers, new customers, orders and net sales in windows of the same length.
-- Grain: window. Params: :as_of (exclusive), :days (length of a window).

with windows (window_name, days_ago_from, days_ago_to) as (

    values
    ('now', 1, :days),
    ('before', :days + 1, 2 * :days),
    ('year_ago', 366, 365 + :days)

),

days as (

    select
        customer_days.customer_id,
        customer_days.order_count,
        customer_days.net_amount,
        cast(:as_of as date) - customer_days.order_date as days_ago,
        case
            when customer_days.order_count > 0
                then cast(:as_of as date) - customer_summary.first_order_date
        end as first_days_ago
    from customer_days
    inner join customer_summary on customer_days.customer_id = customer_summary.customer_id
    where customer_days.order_date < :as_of

)

select
    windows.window_name,
    count(distinct case when days.order_count > 0 then days.customer_id end) as customers,
    count(distinct case when days.first_days_ago <= windows.days_ago_to then days.customer_id end)
        as new_customers,
    coalesce(sum(days.order_count), 0) as orders,
    coalesce(sum(days.net_amount), 0) as net_sales
from windows
left join days on days.days_ago between windows.days_ago_from and windows.days_ago_to
group by windows.window_name
order by windows.window_name

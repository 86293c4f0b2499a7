-- page_concentration: customers in twenty groups of equal size, by past net sales and by predicted value.
-- Grain: measure, part (1: the highest). No params: its inputs have one as_of.

with ranked as (

    select
        'net_sales' as measure,
        total_spend as amount,
        ntile(20) over (order by total_spend desc, customer_id asc) as part
    from customer_summary

    union all

    select
        'value_1_year' as measure,
        predicted_clv_1_year as amount,
        ntile(20) over (order by predicted_clv_1_year desc, customer_id asc) as part
    from ltv
    where predicted_clv_1_year is not null

)

select
    measure,
    part,
    count(*) as customers,
    sum(amount) as amount
from ranked
group by
    measure,
    part
order by
    measure,
    part

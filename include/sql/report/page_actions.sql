-- page_actions: chosen actions by kind: customers, cost, assumed benefit, and what the customers bring.
-- Grain: action_code. No params: its inputs have one as_of.

select
    actions.action_code,
    min(actions.explanation) as explanation,
    count(*) as customers,
    sum(actions.cost_amount) as cost_amount,
    sum(actions.expected_benefit_amount) as benefit_amount,
    sum(rfm.total_spend) as net_sales,
    sum(ltv.predicted_clv_1_year) as value_1_year
from actions
left join rfm on actions.customer_id = rfm.customer_id
left join ltv on actions.customer_id = ltv.customer_id
where actions.is_chosen
group by actions.action_code
order by
    benefit_amount desc,
    actions.action_code asc

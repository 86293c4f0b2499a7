-- customer_list: one row per customer with everything that is known and predicted; the highest spend first.
-- Grain: customer_id. Params: :as_of (exclusive). A model that did not run leaves nulls.

with named as (

    select
        next_products.customer_id,
        next_products.product_rank,
        next_products.kind,
        next_products.due_date,
        coalesce(products.product_name, next_products.product_id) as product_name
    from next_products
    left join products on next_products.product_id = products.product_id

),

suggested as (

    select
        customer_id,
        max(case when product_rank = 1 then product_name end) as next_product,
        max(case when product_rank = 1 then due_date end) as next_product_due_date,
        arg_min(product_name, product_rank) filter (where kind = 'new') as new_product
    from named
    group by customer_id

)

select
    customer_summary.customer_id,
    customer_summary.days_since_last_order,
    customer_summary.window_orders,
    customer_summary.window_spend,
    rfm.recency_score,
    rfm.frequency_score,
    rfm.monetary_score,
    rfm.rfm_score,
    rfm.segment_code,
    customer_summary.first_order_date,
    customer_summary.last_order_date,
    customer_summary.order_count,
    customer_summary.total_spend,
    customer_summary.avg_order_value,
    ltv.expected_spend_1_year,
    ltv.predicted_clv_1_year,
    ltv.predicted_clv_1_year_low,
    ltv.predicted_clv_1_year_high,
    churn_risk.churn_probability,
    churn_risk.churn_risk_category,
    customers.may_contact,
    suggested.next_product,
    suggested.next_product_due_date,
    suggested.new_product,
    cast(churn_risk.churn_probability * ltv.predicted_clv_1_year as decimal(18, 4)) as margin_at_risk,
    case when churn_risk.churn_probability is not null then churn_risk.top_churn_factor_1_text end
        as top_churn_factor,
    case
        when churn_risk.any_order_probability is not null then churn_risk.next_order_date_50_pct
        when ltv.expected_next_order_date >= :as_of then ltv.expected_next_order_date
    end as expected_next_order_date,
    case when actions.is_chosen then actions.action_code end as action_code,
    case when actions.is_chosen then actions.explanation end as action_reason
from customer_summary
left join rfm on customer_summary.customer_id = rfm.customer_id
left join ltv on customer_summary.customer_id = ltv.customer_id
left join churn_risk on customer_summary.customer_id = churn_risk.customer_id
left join suggested on customer_summary.customer_id = suggested.customer_id
left join actions on customer_summary.customer_id = actions.customer_id
left join customers on customer_summary.customer_id = customers.customer_id
order by
    customer_summary.total_spend desc,
    customer_summary.customer_id asc

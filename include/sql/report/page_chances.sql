-- page_chances: customers, net sales, value and value at risk by chance of leaving, or by risk category.
-- Grain: chance_band (quarters of the chance, 1 to 4; null for rules), churn_risk_category.
-- Params: :churn_days.

select
    churn_risk.churn_risk_category,
    case
        when churn_risk.churn_probability < 0.25 then 1
        when churn_risk.churn_probability < 0.5 then 2
        when churn_risk.churn_probability < 0.75 then 3
        when churn_risk.churn_probability is not null then 4
    end as chance_band,
    count(*) as customers,
    sum(churn_risk.churn_probability) as expected_leavers,
    sum(case when churn_risk.days_since_last_order > :churn_days then 1 else 0 end) as silent_customers,
    sum(rfm.total_spend) as net_sales,
    sum(ltv.predicted_clv_1_year) as value_1_year,
    sum(cast(churn_risk.churn_probability * ltv.predicted_clv_1_year as decimal(18, 4))) as margin_at_risk
from churn_risk
left join rfm on churn_risk.customer_id = rfm.customer_id
left join ltv on churn_risk.customer_id = ltv.customer_id
group by
    chance_band,
    churn_risk.churn_risk_category
order by
    chance_band,
    churn_risk.churn_risk_category

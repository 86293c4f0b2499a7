-- churn_firm_based: number of the firm's customers at risk.
-- Grain: one row; none if no customer was scored. Params: :firm_key, :as_of, :run_id.

select
    :firm_key as firm_id,
    :run_id as run_id,
    cast(:as_of as date) as run_date,
    max(risk.model_version) as model_id,
    max(risk.method) as method,
    max(risk.horizon_days) as horizon_days,
    count(*) as scored_count,
    count(*) filter (where risk.churn_risk_category in ('High', 'Critical')) as high_risk_count,
    round(
        100.0 * count(*) filter (where risk.churn_risk_category in ('High', 'Critical')) / count(*), 4
    ) as high_risk_percent,
    count(*) filter (where risk.churn_risk_category = 'Critical') as critical_count,
    count(*) filter (where risk.churn_risk_category = 'Medium') as medium_risk_count,
    count(*) filter (where risk.churn_risk_category = 'Low') as low_risk_count,
    sum(risk.churn_probability) as expected_churners
from analytics.dim_firm
inner join analytics.fact_customer_churn_risk as risk on dim_firm.firm_sk = risk.firm_sk
where
    dim_firm.firm_key = :firm_key
    and risk.as_of = :as_of
having count(*) > 0

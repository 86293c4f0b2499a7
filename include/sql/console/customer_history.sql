-- customer_history: a customer's scores at each snapshot up to as_of.
-- Grain: as_of. Params: :firm_key, :as_of, :customer_id.

select
    dim_snapshot.as_of,
    fact_customer_rfm.rfm_score,
    dim_customer_segment.segment_name as rfm_segment,
    fact_customer_rfm.total_spend_365_days,
    fact_customer_ltv.predicted_clv_1_year,
    fact_customer_churn_risk.churn_probability,
    fact_customer_churn_risk.churn_risk_category
from analytics.dim_firm
inner join analytics.dim_customer on dim_firm.firm_sk = dim_customer.firm_sk
inner join (
    select distinct
        dim_snapshot.firm_sk,
        dim_snapshot.as_of
    from analytics.dim_snapshot
) as dim_snapshot on dim_firm.firm_sk = dim_snapshot.firm_sk
left join analytics.fact_customer_rfm
    on
        dim_customer.firm_sk = fact_customer_rfm.firm_sk
        and dim_customer.customer_sk = fact_customer_rfm.customer_sk
        and dim_snapshot.as_of = fact_customer_rfm.as_of
left join analytics.dim_customer_segment
    on fact_customer_rfm.rfm_segment_sk = dim_customer_segment.segment_sk
left join analytics.fact_customer_ltv
    on
        dim_customer.firm_sk = fact_customer_ltv.firm_sk
        and dim_customer.customer_sk = fact_customer_ltv.customer_sk
        and dim_snapshot.as_of = fact_customer_ltv.as_of
left join analytics.fact_customer_churn_risk
    on
        dim_customer.firm_sk = fact_customer_churn_risk.firm_sk
        and dim_customer.customer_sk = fact_customer_churn_risk.customer_sk
        and dim_snapshot.as_of = fact_customer_churn_risk.as_of
where
    dim_firm.firm_key = :firm_key
    and dim_customer.customer_id = :customer_id
    and not dim_customer.is_anonymous
    and dim_snapshot.as_of <= :as_of
    and (
        fact_customer_rfm.customer_sk is not null
        or fact_customer_ltv.customer_sk is not null
        or fact_customer_churn_risk.customer_sk is not null
    )
order by dim_snapshot.as_of desc;

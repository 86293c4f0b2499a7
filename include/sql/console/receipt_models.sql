-- receipt_models: the versions of the models that scored a snapshot.
-- Grain: module. Params: :firm_key, :as_of.

(
    select
        'ltv' as module,
        fact_customer_ltv.model_version
    from analytics.dim_firm
    inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
    where
        dim_firm.firm_key = :firm_key
        and fact_customer_ltv.as_of = :as_of
        and fact_customer_ltv.model_version is not null
    order by fact_customer_ltv.customer_sk
    limit 1
)
union all
(
    select
        'churn' as module,
        fact_customer_churn_risk.model_version
    from analytics.dim_firm
    inner join analytics.fact_customer_churn_risk on dim_firm.firm_sk = fact_customer_churn_risk.firm_sk
    where
        dim_firm.firm_key = :firm_key
        and fact_customer_churn_risk.as_of = :as_of
        and fact_customer_churn_risk.model_version is not null
    order by fact_customer_churn_risk.customer_sk
    limit 1
);

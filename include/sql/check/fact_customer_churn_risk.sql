-- fact_customer_churn_risk: missing customers, and rows inconsistent in themselves or with their model.
-- Params: :firm_key, :firm_sk, :as_of.

with staged as (

    select
        count(*) as customer_count,
        coalesce(sum(stg_churn_risk.spend_last_90_days), 0) as spend
    from pg_temp.stg_churn_risk

),

loaded as (

    select
        count(*) as customer_count,
        coalesce(sum(fact_customer_churn_risk.spend_last_90_days), 0) as spend
    from analytics.fact_customer_churn_risk
    where
        fact_customer_churn_risk.firm_sk = :firm_sk
        and fact_customer_churn_risk.as_of = :as_of

)

select
    'loaded customers or spend differ from what was staged' as fault,
    'staged ' || staged.customer_count || ' customers of ' || staged.spend
    || ', loaded ' || loaded.customer_count || ' of ' || loaded.spend as sample
from staged
cross join loaded
where
    staged.customer_count <> loaded.customer_count
    or staged.spend <> loaded.spend

union all

select distinct
    'model_version is not in control.models' as fault,
    stg_churn_risk.model_version as sample
from pg_temp.stg_churn_risk
left join control.models
    on
        models.firm_key = :firm_key
        and models.module = 'churn'
        and stg_churn_risk.model_version = models.model_version
where models.model_version is null

union all

select
    case
        when models.anchor > fact_customer_churn_risk.as_of
            then 'the model was trained after as_of (look-ahead)'
        when fact_customer_churn_risk.method <> models.method
            then 'method differs from the model''s'
        when
            fact_customer_churn_risk.predicted_churn_date
            <> fact_customer_churn_risk.as_of + fact_customer_churn_risk.days_until_predicted_churn
            then 'predicted_churn_date is not as_of plus days_until_predicted_churn'
        when fact_customer_churn_risk.orders_last_30_days > fact_customer_churn_risk.orders_last_90_days
            then 'a longer window has fewer orders than a shorter one'
        else 'a factor occurs twice'
    end as fault,
    'customer_sk ' || fact_customer_churn_risk.customer_sk as sample
from analytics.fact_customer_churn_risk
inner join control.models
    on
        models.firm_key = :firm_key
        and models.module = 'churn'
        and fact_customer_churn_risk.model_version = models.model_version
where
    fact_customer_churn_risk.firm_sk = :firm_sk
    and fact_customer_churn_risk.as_of = :as_of
    and (
        models.anchor > fact_customer_churn_risk.as_of
        or fact_customer_churn_risk.method <> models.method
        or fact_customer_churn_risk.predicted_churn_date
        <> fact_customer_churn_risk.as_of + fact_customer_churn_risk.days_until_predicted_churn
        or fact_customer_churn_risk.orders_last_30_days > fact_customer_churn_risk.orders_last_90_days
        or fact_customer_churn_risk.top_churn_factor_1 = fact_customer_churn_risk.top_churn_factor_2
        or fact_customer_churn_risk.top_churn_factor_1 = fact_customer_churn_risk.top_churn_factor_3
        or fact_customer_churn_risk.top_churn_factor_2 = fact_customer_churn_risk.top_churn_factor_3
    );

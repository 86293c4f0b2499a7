-- fact_firm_metric: missing metrics, wrong ratios, and shares outside 0 to 100.
-- Params: :firm_sk, :as_of.

select
    'metric missing from fact_firm_metric' as fault,
    stg_firm_metrics.metric || ' ' || stg_firm_metrics.member as sample
from pg_temp.stg_firm_metrics
left join analytics.fact_firm_metric
    on
        fact_firm_metric.firm_sk = :firm_sk
        and fact_firm_metric.as_of = :as_of
        and stg_firm_metrics.metric = fact_firm_metric.metric
        and stg_firm_metrics.member = fact_firm_metric.member
where fact_firm_metric.firm_sk is null

union all

select
    case
        when fact_firm_metric.denominator <= 0 then 'ratio with a zero denominator has a value'
        when fact_firm_metric.unit = 'percent' and fact_firm_metric.denominator is null
            then 'share without a denominator'
        else 'value is not numerator divided by denominator'
    end as fault,
    fact_firm_metric.metric || ' ' || fact_firm_metric.member
    || ': ' || fact_firm_metric.metric_value as sample
from analytics.fact_firm_metric
where
    fact_firm_metric.firm_sk = :firm_sk
    and fact_firm_metric.as_of = :as_of
    and fact_firm_metric.metric_value is not null
    and (
        fact_firm_metric.denominator <= 0
        or (fact_firm_metric.unit = 'percent' and fact_firm_metric.denominator is null)
        or abs(
            fact_firm_metric.metric_value
            - fact_firm_metric.numerator
            * case when fact_firm_metric.unit = 'percent' then 100 else 1 end
            / coalesce(nullif(fact_firm_metric.denominator, 0), 1)
        ) > 0.001 + 1e-12 * abs(fact_firm_metric.metric_value)
    )

union all

select
    'share of customers is outside 0 to 100' as fault,
    fact_firm_metric.metric || ' ' || fact_firm_metric.member
    || ': ' || fact_firm_metric.metric_value as sample
from analytics.fact_firm_metric
where
    fact_firm_metric.firm_sk = :firm_sk
    and fact_firm_metric.as_of = :as_of
    and fact_firm_metric.metric in (
        'active_share', 'high_risk_share', 'new_customer_share', 'one_time_share', 'one_timer_conversion',
        'retention_rate', 'risk_share', 'segment_share', 'top_tenth_share'
    )
    and fact_firm_metric.metric_value not between 0 and 100;

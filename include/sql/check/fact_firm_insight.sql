-- fact_firm_insight: missing sentences, and sentences that cite a metric without a value.
-- Params: :firm_sk, :as_of.

select
    'sentence missing from fact_firm_insight' as fault,
    stg_firm_insight.language_code || ' ' || stg_firm_insight.rule_code as sample
from pg_temp.stg_firm_insight
left join analytics.fact_firm_insight
    on
        fact_firm_insight.firm_sk = :firm_sk
        and fact_firm_insight.as_of = :as_of
        and stg_firm_insight.language_code = fact_firm_insight.language_code
        and stg_firm_insight.place = fact_firm_insight.place
where fact_firm_insight.firm_sk is null

union all

select
    'sentence cites a metric without a value' as fault,
    cited.rule_code || ': ' || cited.metric || ' ' || cited.member as sample
from (
    select
        fact_firm_insight.firm_sk,
        fact_firm_insight.as_of,
        fact_firm_insight.rule_code,
        citation.item ->> 'metric' as metric,
        citation.item ->> 'member' as member
    from analytics.fact_firm_insight
    cross join lateral jsonb_array_elements(fact_firm_insight.cited_metrics) as citation (item)
    where
        fact_firm_insight.firm_sk = :firm_sk
        and fact_firm_insight.as_of = :as_of
) as cited
left join analytics.fact_firm_metric
    on
        cited.firm_sk = fact_firm_metric.firm_sk
        and cited.as_of = fact_firm_metric.as_of
        and cited.metric = fact_firm_metric.metric
        and cited.member = fact_firm_metric.member
where fact_firm_metric.metric_value is null;

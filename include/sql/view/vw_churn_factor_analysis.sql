-- vw_churn_factor_analysis: customers affected by each churn factor. A customer counts once per
-- factor; revenue of a customer counts for each of its factors, so factors do not add up.
-- Grain: firm_key, factor. The function takes any as_of, the view each firm's latest.

create or replace function mart.churn_factor_analysis_from_facts(firm text, as_of date)
returns table (
    factor text,
    factor_text text,
    customer_count bigint,
    pct_of_customers numeric,
    first_factor_count bigint,
    at_risk_count bigint,
    avg_risk_score_when_present numeric,
    total_clv_affected numeric,
    revenue_365_affected numeric
)
language sql
stable
as $$
with scored as (

    select
        fact_customer_churn_risk.customer_sk,
        fact_customer_churn_risk.churn_risk_score,
        fact_customer_churn_risk.churn_risk_category,
        fact_customer_churn_risk.top_churn_factor_1,
        fact_customer_churn_risk.top_churn_factor_2,
        fact_customer_churn_risk.top_churn_factor_3,
        fact_customer_churn_risk.top_churn_factor_1_text,
        fact_customer_churn_risk.top_churn_factor_2_text,
        fact_customer_churn_risk.top_churn_factor_3_text,
        fact_customer_ltv.predicted_clv_lifetime,
        fact_customer_rfm.total_spend_365_days
    from analytics.dim_firm
    inner join analytics.fact_customer_churn_risk on dim_firm.firm_sk = fact_customer_churn_risk.firm_sk
    left join analytics.fact_customer_rfm
        on
            fact_customer_churn_risk.firm_sk = fact_customer_rfm.firm_sk
            and fact_customer_churn_risk.as_of = fact_customer_rfm.as_of
            and fact_customer_churn_risk.customer_sk = fact_customer_rfm.customer_sk
    left join analytics.fact_customer_ltv
        on
            fact_customer_churn_risk.firm_sk = fact_customer_ltv.firm_sk
            and fact_customer_churn_risk.as_of = fact_customer_ltv.as_of
            and fact_customer_churn_risk.customer_sk = fact_customer_ltv.customer_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = churn_factor_analysis_from_facts.firm
        )
        and fact_customer_churn_risk.as_of = churn_factor_analysis_from_facts.as_of

),

reasons as (

    select
        scored.customer_sk,
        scored.churn_risk_score,
        scored.churn_risk_category,
        scored.predicted_clv_lifetime,
        scored.total_spend_365_days,
        reason.factor,
        reason.factor_text,
        reason.place
    from scored
    cross join
        lateral (
            values
            (scored.top_churn_factor_1, scored.top_churn_factor_1_text, 1),
            (scored.top_churn_factor_2, scored.top_churn_factor_2_text, 2),
            (scored.top_churn_factor_3, scored.top_churn_factor_3_text, 3)
        ) as reason (factor, factor_text, place)
    where reason.factor is not null

),

population as (

    select count(*) as customer_count
    from scored

)

select
    reasons.factor,
    min(reasons.factor_text) as factor_text,
    count(*) as customer_count,
    round(100.0 * count(*) / min(population.customer_count), 1) as pct_of_customers,
    count(*) filter (where reasons.place = 1) as first_factor_count,
    count(*) filter (where reasons.churn_risk_category in ('High', 'Critical')) as at_risk_count,
    round(avg(reasons.churn_risk_score), 1) as avg_risk_score_when_present,
    sum(reasons.predicted_clv_lifetime) as total_clv_affected,
    sum(reasons.total_spend_365_days) as revenue_365_affected
from reasons
cross join population
group by reasons.factor
$$;

create or replace function mart.churn_factor_analysis(firm text, as_of date)
returns table (
    factor text,
    factor_text text,
    customer_count bigint,
    pct_of_customers numeric,
    first_factor_count bigint,
    at_risk_count bigint,
    avg_risk_score_when_present numeric,
    total_clv_affected numeric,
    revenue_365_affected numeric
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.factor,
        kept.factor_text,
        kept.customer_count,
        kept.pct_of_customers,
        kept.first_factor_count,
        kept.at_risk_count,
        kept.avg_risk_score_when_present,
        kept.total_clv_affected,
        kept.revenue_365_affected
    from analytics.dim_firm
    inner join analytics.summary_churn_factor_analysis as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = churn_factor_analysis.firm
        and kept.as_of = churn_factor_analysis.as_of;
    if
        not found
        and not analytics.has_summary('churn_factor_analysis', churn_factor_analysis.firm, churn_factor_analysis.as_of)
    then
        return query
        select made.*
        from
            mart.churn_factor_analysis_from_facts(
                churn_factor_analysis.firm, churn_factor_analysis.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_churn_factor_analysis
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    factors.*
from mart.vw_latest_snapshot
cross join
    lateral mart.churn_factor_analysis(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as factors
where vw_latest_snapshot.fact_name = 'fact_customer_churn_risk';

comment on function mart.churn_factor_analysis_from_facts is
'Result of churn_factor_analysis computed from the facts, not read from the summary.';
comment on function mart.churn_factor_analysis is 'vw_churn_factor_analysis of one firm at any as_of.';
comment on view mart.vw_churn_factor_analysis is
'One row per firm and churn factor among customers'' top three, at the firm''s latest snapshot.';
comment on column mart.vw_churn_factor_analysis.factor is 'Code of the factor.';
comment on column mart.vw_churn_factor_analysis.factor_text is 'Text of the factor in the firm''s language.';
comment on column mart.vw_churn_factor_analysis.customer_count is
'Customers with the factor among their top three.';
comment on column mart.vw_churn_factor_analysis.pct_of_customers is
'Share of all scored customers, in percent; the sum over factors can exceed 100.';
comment on column mart.vw_churn_factor_analysis.first_factor_count is
'Customers with the factor in first place.';
comment on column mart.vw_churn_factor_analysis.at_risk_count is
'Customers of high or critical risk with the factor.';
comment on column mart.vw_churn_factor_analysis.avg_risk_score_when_present is
'Mean churn risk score of its customers.';
comment on column mart.vw_churn_factor_analysis.total_clv_affected is
'Predicted lifetime value of its customers; null without a value model.';
comment on column mart.vw_churn_factor_analysis.revenue_365_affected is
'Net spend of its customers in the last 365 days; null if module rfm is off.';

create or replace view mart.vw_churn_factor_analysis_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.factor,
    kept.factor_text,
    kept.customer_count,
    kept.pct_of_customers,
    kept.first_factor_count,
    kept.at_risk_count,
    kept.avg_risk_score_when_present,
    kept.total_clv_affected,
    kept.revenue_365_affected
from analytics.summary_churn_factor_analysis as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_churn_factor_analysis_history is
'vw_churn_factor_analysis of every stored snapshot: one row per as_of and row of that view.';

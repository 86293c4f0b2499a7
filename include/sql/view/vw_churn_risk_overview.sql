-- vw_churn_risk_overview: customers, revenue and activity by churn risk category.
-- Grain: firm_key, churn_risk_category. The function takes any as_of, the view each firm's latest.

create or replace function mart.churn_risk_overview_from_facts(firm text, as_of date)
returns table (
    churn_risk_category text,
    customer_count bigint,
    pct_of_customers numeric,
    avg_churn_probability double precision,
    expected_churners double precision,
    total_clv_at_risk numeric,
    avg_clv_at_risk numeric,
    revenue_365_at_risk numeric,
    avg_revenue_365_at_risk numeric,
    avg_days_inactive numeric,
    avg_orders_90d numeric,
    avg_spend_90d numeric,
    declining_frequency bigint,
    declining_spend bigint,
    method text,
    model_version text,
    category_clv_lifetime numeric,
    avg_clv_lifetime numeric,
    category_spend_365_days numeric,
    avg_spend_365_days numeric,
    category_spend_at_risk numeric,
    category_margin_at_risk numeric
)
language sql
stable
as $$
select
    fact_customer_churn_risk.churn_risk_category,
    count(*) as customer_count,
    round(100.0 * count(*) / sum(count(*)) over (), 1) as pct_of_customers,
    avg(fact_customer_churn_risk.churn_probability) as avg_churn_probability,
    sum(fact_customer_churn_risk.churn_probability) as expected_churners,
    sum(fact_customer_ltv.predicted_clv_lifetime) as total_clv_at_risk,
    round(avg(fact_customer_ltv.predicted_clv_lifetime), 2) as avg_clv_at_risk,
    sum(fact_customer_rfm.total_spend_365_days) as revenue_365_at_risk,
    round(avg(fact_customer_rfm.total_spend_365_days), 2) as avg_revenue_365_at_risk,
    round(avg(fact_customer_churn_risk.days_since_last_order), 0) as avg_days_inactive,
    round(avg(fact_customer_churn_risk.orders_last_90_days), 1) as avg_orders_90d,
    round(avg(fact_customer_churn_risk.spend_last_90_days), 2) as avg_spend_90d,
    count(*) filter (
        where fact_customer_churn_risk.order_frequency_trend = 'decreasing'
    ) as declining_frequency,
    count(*) filter (where fact_customer_churn_risk.spend_trend = 'decreasing') as declining_spend,
    min(fact_customer_churn_risk.method) as method,
    min(fact_customer_churn_risk.model_version) as model_version,
    sum(fact_customer_ltv.predicted_clv_lifetime) as category_clv_lifetime,
    round(avg(fact_customer_ltv.predicted_clv_lifetime), 2) as avg_clv_lifetime,
    sum(fact_customer_rfm.total_spend_365_days) as category_spend_365_days,
    round(avg(fact_customer_rfm.total_spend_365_days), 2) as avg_spend_365_days,
    round(
        cast(
            sum(
                fact_customer_churn_risk.churn_probability
                * cast(fact_customer_rfm.total_spend_365_days as double precision)
            ) as numeric
        ),
        2
    ) as category_spend_at_risk,
    round(
        cast(
            sum(
                fact_customer_churn_risk.churn_probability
                * cast(fact_customer_ltv.predicted_clv_1_year as double precision)
            ) as numeric
        ),
        2
    ) as category_margin_at_risk
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
        where named.firm_key = churn_risk_overview_from_facts.firm
    )
    and fact_customer_churn_risk.as_of = churn_risk_overview_from_facts.as_of
group by fact_customer_churn_risk.churn_risk_category
$$;

create or replace function mart.churn_risk_overview(firm text, as_of date)
returns table (
    churn_risk_category text,
    customer_count bigint,
    pct_of_customers numeric,
    avg_churn_probability double precision,
    expected_churners double precision,
    total_clv_at_risk numeric,
    avg_clv_at_risk numeric,
    revenue_365_at_risk numeric,
    avg_revenue_365_at_risk numeric,
    avg_days_inactive numeric,
    avg_orders_90d numeric,
    avg_spend_90d numeric,
    declining_frequency bigint,
    declining_spend bigint,
    method text,
    model_version text,
    category_clv_lifetime numeric,
    avg_clv_lifetime numeric,
    category_spend_365_days numeric,
    avg_spend_365_days numeric,
    category_spend_at_risk numeric,
    category_margin_at_risk numeric
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.churn_risk_category,
        kept.customer_count,
        kept.pct_of_customers,
        kept.avg_churn_probability,
        kept.expected_churners,
        kept.total_clv_at_risk,
        kept.avg_clv_at_risk,
        kept.revenue_365_at_risk,
        kept.avg_revenue_365_at_risk,
        kept.avg_days_inactive,
        kept.avg_orders_90d,
        kept.avg_spend_90d,
        kept.declining_frequency,
        kept.declining_spend,
        kept.method,
        kept.model_version,
        kept.category_clv_lifetime,
        kept.avg_clv_lifetime,
        kept.category_spend_365_days,
        kept.avg_spend_365_days,
        kept.category_spend_at_risk,
        kept.category_margin_at_risk
    from analytics.dim_firm
    inner join analytics.summary_churn_risk_overview as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = churn_risk_overview.firm
        and kept.as_of = churn_risk_overview.as_of;
    if
        not found
        and not analytics.has_summary('churn_risk_overview', churn_risk_overview.firm, churn_risk_overview.as_of)
    then
        return query
        select made.*
        from
            mart.churn_risk_overview_from_facts(
                churn_risk_overview.firm, churn_risk_overview.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_churn_risk_overview
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    risk.*
from mart.vw_latest_snapshot
cross join lateral mart.churn_risk_overview(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as risk
where vw_latest_snapshot.fact_name = 'fact_customer_churn_risk';

comment on function mart.churn_risk_overview_from_facts is
'Result of churn_risk_overview computed from the facts, not read from the summary.';
comment on function mart.churn_risk_overview is 'vw_churn_risk_overview of one firm at any as_of.';
comment on view mart.vw_churn_risk_overview is
'One row per firm and churn risk category that has customers, at the firm''s latest snapshot.';
comment on column mart.vw_churn_risk_overview.churn_risk_category is
'Null: customers without a category; fact_customer_churn_risk.no_score_reason tells why.';
comment on column mart.vw_churn_risk_overview.customer_count is 'Customers in the category.';
comment on column mart.vw_churn_risk_overview.pct_of_customers is
'Share of the firm''s customers, in percent.';
comment on column mart.vw_churn_risk_overview.avg_churn_probability is
'Mean churn probability; null if rules scored.';
comment on column mart.vw_churn_risk_overview.expected_churners is
'Sum of churn probabilities; null if rules scored.';
comment on column mart.vw_churn_risk_overview.total_clv_at_risk is
'Old name of category_clv_lifetime, kept until version 0.11: it is the whole value, not the part at risk.';
comment on column mart.vw_churn_risk_overview.avg_clv_at_risk is
'Old name of avg_clv_lifetime, kept until version 0.11.';
comment on column mart.vw_churn_risk_overview.revenue_365_at_risk is
'Old name of category_spend_365_days, kept until version 0.11: it is the whole spend, not the part at risk.';
comment on column mart.vw_churn_risk_overview.avg_revenue_365_at_risk is
'Old name of avg_spend_365_days, kept until version 0.11.';
comment on column mart.vw_churn_risk_overview.category_clv_lifetime is
'Predicted lifetime value of these customers, whether they leave or not; null without a value model.';
comment on column mart.vw_churn_risk_overview.avg_clv_lifetime is 'The same per customer.';
comment on column mart.vw_churn_risk_overview.category_spend_365_days is
'Net spend of these customers in the last 365 days; null if module rfm is off.';
comment on column mart.vw_churn_risk_overview.avg_spend_365_days is 'The same per customer.';
comment on column mart.vw_churn_risk_overview.category_spend_at_risk is
'Sum of churn probability times net spend of the last 365 days; null if rules scored.';
comment on column mart.vw_churn_risk_overview.category_margin_at_risk is
'Sum of churn probability times expected margin of the next year; null if rules scored.';
comment on column mart.vw_churn_risk_overview.avg_days_inactive is 'Mean days since the last order.';
comment on column mart.vw_churn_risk_overview.avg_orders_90d is 'Mean number of orders in the last 90 days.';
comment on column mart.vw_churn_risk_overview.avg_spend_90d is 'Mean net spend in the last 90 days.';
comment on column mart.vw_churn_risk_overview.declining_frequency is
'Customers whose order frequency declines.';
comment on column mart.vw_churn_risk_overview.declining_spend is 'Customers whose spend declines.';

create or replace view mart.vw_churn_risk_overview_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.churn_risk_category,
    kept.customer_count,
    kept.pct_of_customers,
    kept.avg_churn_probability,
    kept.expected_churners,
    kept.total_clv_at_risk,
    kept.avg_clv_at_risk,
    kept.revenue_365_at_risk,
    kept.avg_revenue_365_at_risk,
    kept.avg_days_inactive,
    kept.avg_orders_90d,
    kept.avg_spend_90d,
    kept.declining_frequency,
    kept.declining_spend,
    kept.method,
    kept.model_version,
    kept.category_clv_lifetime,
    kept.avg_clv_lifetime,
    kept.category_spend_365_days,
    kept.avg_spend_365_days,
    kept.category_spend_at_risk,
    kept.category_margin_at_risk
from analytics.summary_churn_risk_overview as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_churn_risk_overview_history is
'vw_churn_risk_overview of every stored snapshot: one row per as_of and row of that view.';

-- vw_top_customers_clv: the hundred customers with the highest predicted value, with risk; no contact data.
-- Grain: firm_key, customer_id. The function takes any as_of, the view each firm's latest.

create or replace function mart.top_customers_clv(firm text, as_of date)
returns table (
    customer_id text,
    tier_name text,
    clv_segment text,
    cluster_description text,
    rfm_segment text,
    tenure_months integer,
    total_historical_orders bigint,
    historical_clv numeric,
    predicted_clv_1_year numeric,
    predicted_clv_1_year_low numeric,
    predicted_clv_1_year_high numeric,
    predicted_clv_lifetime numeric,
    avg_order_value numeric,
    avg_orders_per_month double precision,
    clv_trend text,
    value_percentile double precision,
    churn_risk_category text,
    churn_risk_score integer,
    model_version text,
    expected_next_order_date date
)
language sql
stable
as $$
select
    dim_customer.customer_id,
    dim_customer_tier.tier_name,
    fact_customer_ltv.clv_segment,
    fact_customer_ltv.cluster_description,
    dim_customer_segment.segment_name as rfm_segment,
    fact_customer_ltv.tenure_months,
    fact_customer_ltv.total_historical_orders,
    fact_customer_ltv.historical_clv,
    fact_customer_ltv.predicted_clv_1_year,
    fact_customer_ltv.predicted_clv_1_year_low,
    fact_customer_ltv.predicted_clv_1_year_high,
    fact_customer_ltv.predicted_clv_lifetime,
    fact_customer_ltv.avg_order_value,
    fact_customer_ltv.avg_orders_per_month,
    fact_customer_ltv.clv_trend,
    fact_customer_ltv.value_percentile,
    fact_customer_churn_risk.churn_risk_category,
    fact_customer_churn_risk.churn_risk_score,
    fact_customer_ltv.model_version,
    case
        when fact_customer_churn_risk.any_order_probability is not null
            then fact_customer_churn_risk.next_order_date_50_pct
        when fact_customer_ltv.expected_next_order_date >= fact_customer_ltv.as_of
            then fact_customer_ltv.expected_next_order_date
    end as expected_next_order_date
from analytics.dim_firm
inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
inner join analytics.dim_customer on fact_customer_ltv.customer_sk = dim_customer.customer_sk
left join analytics.dim_customer_tier on fact_customer_ltv.tier_sk = dim_customer_tier.tier_sk
left join analytics.fact_customer_rfm
    on
        fact_customer_ltv.firm_sk = fact_customer_rfm.firm_sk
        and fact_customer_ltv.as_of = fact_customer_rfm.as_of
        and fact_customer_ltv.customer_sk = fact_customer_rfm.customer_sk
left join analytics.dim_customer_segment
    on fact_customer_rfm.rfm_segment_sk = dim_customer_segment.segment_sk
left join analytics.fact_customer_churn_risk
    on
        fact_customer_ltv.firm_sk = fact_customer_churn_risk.firm_sk
        and fact_customer_ltv.as_of = fact_customer_churn_risk.as_of
        and fact_customer_ltv.customer_sk = fact_customer_churn_risk.customer_sk
where
    dim_firm.firm_key = top_customers_clv.firm
    and fact_customer_ltv.as_of = top_customers_clv.as_of
order by
    fact_customer_ltv.predicted_clv_lifetime desc nulls last,
    fact_customer_ltv.historical_clv desc,
    dim_customer.customer_id asc
limit 100
$$;

create or replace view mart.vw_top_customers_clv
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    top_customers.*
from mart.vw_latest_snapshot
cross join
    lateral mart.top_customers_clv(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as top_customers
where vw_latest_snapshot.fact_name = 'fact_customer_ltv';

comment on function mart.top_customers_clv is 'vw_top_customers_clv of one firm at any as_of.';
comment on view mart.vw_top_customers_clv is
'One row for each of a firm''s hundred customers with the highest predicted_clv_lifetime, latest snapshot.';
comment on column mart.vw_top_customers_clv.tier_name is 'Name of the value tier.';
comment on column mart.vw_top_customers_clv.rfm_segment is
'Name of the RFM segment; null if module rfm is off.';
comment on column mart.vw_top_customers_clv.clv_trend is
'increasing, stable or decreasing against the snapshot 30 days before; null if unknown.';
comment on column mart.vw_top_customers_clv.predicted_clv_1_year is
'Mean of the margin expected next year, to be added up. For one customer read it with its interval.';
comment on column mart.vw_top_customers_clv.predicted_clv_1_year_low is
'Lower bound of the 80 percent interval of one customer; 0 where more than one in ten like it buy nothing.';
comment on column mart.vw_top_customers_clv.predicted_clv_1_year_high is
'Upper bound. Where most buy nothing and a few buy much, the mean lies above it.';
comment on column mart.vw_top_customers_clv.expected_next_order_date is
'Day by which the next order comes in half of the cases, customers who left counted; null if one is '
'unlikely. From churn where its model predicts it, else from the value model alone.';

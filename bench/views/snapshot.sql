-- snapshot: one snapshot of a generated firm in the facts with one row per customer, computed from its sales.
-- Params: :firm_key, :as_of.

insert into analytics.fact_customer_rfm (
    firm_sk, as_of, date_sk, customer_sk, days_since_last_order, last_order_date, order_count_30_days,
    total_spend_30_days, order_count_90_days, total_spend_90_days, order_count_180_days, total_spend_180_days,
    order_count_365_days, total_spend_365_days, order_count, total_spend, window_orders, window_spend,
    avg_order_value, recency_score, frequency_score, monetary_score, rfm_score, recency_percentile,
    frequency_percentile, monetary_percentile, rfm_segment_sk, activity_status, manifest_token
)
with known as (

    select
        fact_sales.firm_sk,
        fact_sales.customer_sk,
        max(fact_sales.order_date) as last_order_date,
        count(distinct fact_sales.order_date) as orders,
        count(distinct fact_sales.order_date) filter (where fact_sales.order_date >= :as_of - 365) as orders_year,
        sum(fact_sales.net_amount) as spend,
        coalesce(sum(fact_sales.net_amount) filter (where fact_sales.order_date >= :as_of - 365), 0) as spend_year,
        coalesce(sum(fact_sales.net_amount) filter (where fact_sales.order_date >= :as_of - 90), 0) as spend_90
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    inner join analytics.dim_customer
        on
            fact_sales.customer_sk = dim_customer.customer_sk
            and not dim_customer.is_anonymous
    where
        dim_firm.firm_key = :firm_key
        and fact_sales.order_date < :as_of
        and fact_sales.kind = 'sale'
    group by
        fact_sales.firm_sk,
        fact_sales.customer_sk

),

scored as (

    select
        known.*,
        ntile(5) over (order by known.last_order_date asc, known.customer_sk asc)::smallint as r,
        ntile(5) over (order by known.orders asc, known.customer_sk asc)::smallint as f,
        ntile(5) over (order by known.spend asc, known.customer_sk asc)::smallint as m
    from known

)

select
    scored.firm_sk,
    :as_of,
    to_char(:as_of, 'YYYYMMDD')::integer,
    scored.customer_sk,
    :as_of - scored.last_order_date,
    scored.last_order_date,
    0,
    0,
    0,
    scored.spend_90,
    0,
    scored.spend_90,
    scored.orders_year,
    scored.spend_year,
    scored.orders,
    scored.spend,
    scored.orders_year,
    scored.spend_year,
    round(scored.spend / scored.orders, 4),
    scored.r,
    scored.f,
    scored.m,
    scored.r::text || scored.f || scored.m,
    20 * scored.r,
    20 * scored.f,
    20 * scored.m,
    segments.first_sk + (2 * scored.r + scored.f - 3) % 10,
    case when scored.r >= 4 then 'active' else 'lapsed' end,
    1
from scored
cross join (
    select min(dim_customer_segment.segment_sk) as first_sk
    from analytics.dim_customer_segment
    inner join analytics.dim_firm on dim_customer_segment.firm_sk = dim_firm.firm_sk
    where dim_firm.firm_key = :firm_key
) as segments;

insert into analytics.fact_customer_ltv (
    firm_sk, as_of, date_sk, customer_sk, tenure_days, tenure_months, total_historical_revenue,
    total_historical_orders, total_historical_profit, avg_order_value, avg_orders_per_month,
    avg_monthly_revenue, historical_clv, expected_orders_1_year, probability_alive, predicted_clv_1_year,
    predicted_clv_3_year, predicted_clv_lifetime, predicted_clv_1_year_low, predicted_clv_1_year_high,
    clv_segment, tier_sk, value_percentile, lifecycle_stage, margin_source, method, model_version,
    manifest_token, expected_spend_1_year, spend_deviation_1_year, total_doubt_1_year, total_reach
)
select
    rfm.firm_sk,
    rfm.as_of,
    rfm.date_sk,
    rfm.customer_sk,
    400,
    13,
    rfm.total_spend,
    rfm.order_count,
    rfm.total_spend * 0.3,
    rfm.avg_order_value,
    rfm.order_count / 13.0,
    rfm.total_spend / 13,
    rfm.total_spend * 0.3,
    rfm.order_count_365_days,
    rfm.recency_score / 5.0,
    rfm.total_spend_365_days * 0.3,
    rfm.total_spend_365_days * 0.6,
    rfm.total_spend_365_days * 0.8,
    rfm.total_spend_365_days * 0.1,
    rfm.total_spend_365_days * 0.5,
    'generated',
    tiers.tier_sk,
    rfm.monetary_percentile,
    'repeat',
    'source',
    'generated',
    'generated',
    1,
    rfm.total_spend_365_days,
    10,
    0.05,
    1.3
from analytics.dim_firm
inner join analytics.fact_customer_rfm as rfm on dim_firm.firm_sk = rfm.firm_sk
inner join analytics.dim_customer_tier as tiers on rfm.monetary_score = tiers.tier_level
where
    dim_firm.firm_key = :firm_key
    and rfm.as_of = :as_of;

insert into analytics.fact_customer_churn_risk (
    firm_sk, as_of, date_sk, customer_sk, days_since_last_order, orders_last_30_days, orders_last_90_days,
    spend_last_30_days, spend_last_90_days, order_frequency_trend, spend_trend, returns_count_90_days,
    churn_probability, churn_risk_score, churn_risk_category, churn_risk_band, top_churn_factor_1,
    top_churn_factor_2, top_churn_factor_3, top_churn_factor_1_text, top_churn_factor_2_text,
    top_churn_factor_3_text, intervention_priority, recommended_action, recommended_action_text, method,
    model_version, horizon_days, manifest_token
)
select
    rfm.firm_sk,
    rfm.as_of,
    rfm.date_sk,
    rfm.customer_sk,
    rfm.days_since_last_order,
    0,
    0,
    0,
    rfm.total_spend_90_days,
    (array['decreasing', 'stable', 'increasing'])[1 + rfm.customer_sk % 3],
    (array['decreasing', 'stable', 'increasing'])[1 + rfm.customer_sk % 3],
    0,
    (6 - rfm.recency_score) / 6.0,
    100 * (6 - rfm.recency_score) / 6,
    (array['Critical', 'High', 'Medium', 'Low', 'Low'])[rfm.recency_score],
    (array['high', 'high', 'medium', 'low', 'low'])[rfm.recency_score],
    'factor_' || rfm.customer_sk % 12,
    'factor_' || (rfm.customer_sk + 1) % 12,
    'factor_' || (rfm.customer_sk + 2) % 12,
    'Factor ' || rfm.customer_sk % 12,
    'Factor ' || (rfm.customer_sk + 1) % 12,
    'Factor ' || (rfm.customer_sk + 2) % 12,
    rfm.recency_score,
    'none',
    'None',
    'generated',
    'generated',
    90,
    1
from analytics.dim_firm
inner join analytics.fact_customer_rfm as rfm on dim_firm.firm_sk = rfm.firm_sk
where
    dim_firm.firm_key = :firm_key
    and rfm.as_of = :as_of;

insert into analytics.fact_action (
    firm_sk, as_of, date_sk, customer_sk, action_code, cost_amount, expected_benefit_amount, roi, is_holdout,
    is_chosen, explanation, manifest_token, holdout_share, decided_date, arm
)
select
    rfm.firm_sk,
    rfm.as_of,
    rfm.date_sk,
    rfm.customer_sk,
    (array['call', 'voucher', 'letter'])[1 + rfm.customer_sk % 3],
    2,
    5,
    2.5,
    rfm.customer_sk % 10 = 0,
    rfm.customer_sk % 10 > 0,
    'generated',
    1,
    0.1,
    rfm.as_of,
    case when rfm.customer_sk % 10 = 0 then 'holdout' else 'action' end
from analytics.dim_firm
inner join analytics.fact_customer_rfm as rfm on dim_firm.firm_sk = rfm.firm_sk
where
    dim_firm.firm_key = :firm_key
    and rfm.as_of = :as_of
    and rfm.recency_score <= 2;

insert into analytics.dim_snapshot (firm_sk, fact_name, as_of, date_sk)
select
    dim_firm.firm_sk,
    facts.fact_name,
    :as_of,
    to_char(:as_of, 'YYYYMMDD')::integer
from analytics.dim_firm
cross join unnest(array[
    'fact_sales', 'fact_customer_rfm', 'fact_customer_ltv', 'fact_customer_churn_risk', 'fact_action'
]) as facts (fact_name)
where dim_firm.firm_key = :firm_key
on conflict do nothing;

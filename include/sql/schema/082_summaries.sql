-- Summaries: what a function of mart returns for a firm and a day, stored when the snapshot is loaded.
-- include/warehouse/summaries.py fills and removes them. Column comments are those of the views.

create table analytics.dim_summary (
    firm_sk integer not null references analytics.dim_firm,
    summary_name text not null,
    as_of date not null,
    filled_at timestamptz not null default clock_timestamp(),
    primary key (firm_sk, summary_name, as_of)
);

comment on table analytics.dim_summary is
'One row per stored summary: a function without a row here computes its result from the facts.';
comment on column analytics.dim_summary.summary_name is
'Function and table: rfm_segment_summary is stored in summary_rfm_segment_summary.';
comment on column analytics.dim_summary.filled_at is 'When it was computed, UTC.';

create table analytics.summary_rfm_segment_summary (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    rfm_segment text,
    segment_code text,
    customer_count bigint,
    pct_of_customers numeric,
    total_revenue_365 numeric,
    avg_revenue_per_customer numeric,
    avg_orders_per_customer numeric,
    avg_order_value numeric,
    avg_days_since_last_order numeric,
    active_last_30_days bigint,
    inactive_over_90_days bigint,
    value_tier text
);

create index summary_rfm_segment_summary_firm_sk
on analytics.summary_rfm_segment_summary (firm_sk, as_of);

comment on table analytics.summary_rfm_segment_summary is
'Stored results of mart.rfm_segment_summary, '
'one row per RFM segment of each snapshot.';

create table analytics.summary_rfm_score_distribution (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    rfm_score text,
    recency_score smallint,
    frequency_score smallint,
    monetary_score smallint,
    segment_name text,
    customer_count bigint,
    total_revenue numeric,
    avg_aov numeric,
    r_axis smallint,
    f_axis smallint,
    heat_value numeric
);

create index summary_rfm_score_distribution_firm_sk
on analytics.summary_rfm_score_distribution (firm_sk, as_of);

comment on table analytics.summary_rfm_score_distribution is
'Stored results of mart.rfm_score_distribution, '
'one row per RFM cell of each snapshot.';

create table analytics.summary_clv_tier_summary (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    tier_code text,
    tier_name text,
    tier_level smallint,
    lowest_percentile double precision,
    tier_benefit text,
    customer_count bigint,
    pct_of_customers numeric,
    total_historical_value numeric,
    total_predicted_1_year numeric,
    total_predicted_value numeric,
    avg_historical_clv numeric,
    avg_predicted_clv numeric,
    avg_tenure_months numeric,
    pct_of_total_value numeric,
    pct_of_predicted_value numeric
);

create index summary_clv_tier_summary_firm_sk
on analytics.summary_clv_tier_summary (firm_sk, as_of);

comment on table analytics.summary_clv_tier_summary is
'Stored results of mart.clv_tier_summary, '
'one row per value tier of each snapshot.';

create table analytics.summary_clv_distribution (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    bucket integer,
    clv_bucket text,
    lowest_clv numeric,
    highest_clv numeric,
    customer_count bigint,
    total_historical_value numeric,
    total_predicted_value numeric,
    avg_aov numeric,
    avg_monthly_orders numeric,
    avg_tenure_months numeric
);

create index summary_clv_distribution_firm_sk
on analytics.summary_clv_distribution (firm_sk, as_of);

comment on table analytics.summary_clv_distribution is
'Stored results of mart.clv_distribution, '
'one row per quintile of predicted value of each snapshot.';

create table analytics.summary_churn_risk_overview (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
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
);

create index summary_churn_risk_overview_firm_sk
on analytics.summary_churn_risk_overview (firm_sk, as_of);

comment on table analytics.summary_churn_risk_overview is
'Stored results of mart.churn_risk_overview, '
'one row per churn risk category of each snapshot.';

create table analytics.summary_churn_factor_analysis (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    factor text,
    factor_text text,
    customer_count bigint,
    pct_of_customers numeric,
    first_factor_count bigint,
    at_risk_count bigint,
    avg_risk_score_when_present numeric,
    total_clv_affected numeric,
    revenue_365_affected numeric
);

create index summary_churn_factor_analysis_firm_sk
on analytics.summary_churn_factor_analysis (firm_sk, as_of);

comment on table analytics.summary_churn_factor_analysis is
'Stored results of mart.churn_factor_analysis, '
'one row per churn factor of each snapshot.';

create table analytics.summary_customer_cohort_analysis (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    cohort_month date,
    activity_month date,
    months_since_acquisition integer,
    cohort_size bigint,
    active_customers bigint,
    retention_pct numeric,
    cohort_revenue numeric,
    avg_revenue_per_customer numeric,
    is_complete boolean
);

create index summary_customer_cohort_analysis_firm_sk
on analytics.summary_customer_cohort_analysis (firm_sk, as_of);

comment on table analytics.summary_customer_cohort_analysis is
'Stored results of mart.customer_cohort_analysis, '
'one row per month of first purchase and month of activity of each snapshot.';

create table analytics.summary_cohort_value (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    attribute_name text,
    member text,
    months_since_acquisition integer,
    customers bigint,
    net_amount numeric,
    cumulative_net_amount numeric,
    observed_customers bigint,
    value_per_customer numeric,
    cumulative_value_per_customer numeric,
    margin_amount numeric,
    margin_source text,
    cumulative_margin_per_customer numeric,
    customers_with_cost bigint,
    cost_per_customer numeric,
    cumulative_return_on_cost numeric,
    is_complete boolean
);

create index summary_cohort_value_firm_sk
on analytics.summary_cohort_value (firm_sk, as_of);

comment on table analytics.summary_cohort_value is
'Stored results of mart.cohort_value, '
'one row per group of customers and month since the first purchase of each snapshot.';

create table analytics.summary_cohort_forecast (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    attribute_name text,
    member text,
    customers bigint,
    net_amount numeric,
    net_amount_per_customer numeric,
    margin_amount numeric,
    margin_source text,
    customers_with_cost bigint,
    cost_per_customer numeric,
    break_even_month integer,
    expected_spend_1_year numeric,
    expected_spend_1_year_low numeric,
    expected_spend_1_year_high numeric,
    expected_spend_per_customer numeric,
    predicted_clv_1_year numeric
);

create index summary_cohort_forecast_firm_sk
on analytics.summary_cohort_forecast (firm_sk, as_of);

comment on table analytics.summary_cohort_forecast is
'Stored results of mart.cohort_forecast, '
'one row per group of customers of each snapshot.';

create table analytics.summary_product_performance (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    product_id text,
    product_name text,
    department text,
    category text,
    brand text,
    first_sale_date date,
    last_sale_date date,
    days_since_last_sale integer,
    order_count bigint,
    customer_count bigint,
    repeat_customer_count bigint,
    repeat_customer_pct numeric,
    units_sold numeric,
    units_returned numeric,
    return_pct numeric,
    discount_amount numeric,
    net_amount numeric,
    net_amount_365_days numeric,
    share_pct numeric,
    place_in_firm bigint,
    margin_amount numeric,
    margin_pct numeric
);

create index summary_product_performance_firm_sk
on analytics.summary_product_performance (firm_sk, as_of);

comment on table analytics.summary_product_performance is
'Stored results of mart.product_performance, '
'one row per product of each snapshot.';

create table analytics.summary_product_lifecycle (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    product_id text,
    product_name text,
    category text,
    stage_name text,
    first_sale_date date,
    last_sale_date date,
    age_days integer,
    days_since_last_sale integer,
    units_90_days numeric,
    units_previous_90_days numeric,
    units_change_pct numeric,
    firm_units_change_pct numeric,
    net_amount_90_days numeric,
    net_amount_previous_90_days numeric,
    peak_month date,
    peak_month_units numeric
);

create index summary_product_lifecycle_firm_sk
on analytics.summary_product_lifecycle (firm_sk, as_of);

comment on table analytics.summary_product_lifecycle is
'Stored results of mart.product_lifecycle, '
'one row per product of each snapshot.';

create table analytics.summary_action_effect (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    action_code text,
    quarter_start date,
    treated_customers bigint,
    held_out_customers bigint,
    treated_order_pct numeric,
    held_out_order_pct numeric,
    order_effect_pct numeric,
    order_effect_low_pct numeric,
    order_effect_high_pct numeric,
    treated_avg_spend numeric,
    held_out_avg_spend numeric,
    spend_effect numeric,
    spend_effect_low numeric,
    spend_effect_high numeric,
    is_beyond_chance boolean,
    cost_amount numeric,
    incremental_spend numeric,
    is_split_as_planned boolean,
    origin text,
    compared_with text
);

create index summary_action_effect_firm_sk
on analytics.summary_action_effect (firm_sk, as_of);

comment on table analytics.summary_action_effect is
'Stored results of mart.action_effect, '
'one row per action, group compared with and quarter of each snapshot.';

create table analytics.summary_acquisition_channel_performance (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    cohort_month date,
    channel_code text,
    channel_name text,
    channel_category text,
    leads bigint,
    customers_acquired bigint,
    total_acquisition_cost numeric,
    avg_cac numeric,
    avg_days_to_convert numeric,
    avg_first_order_value numeric,
    customers_matured bigint,
    total_revenue_365 numeric,
    avg_revenue_365 numeric,
    acquisition_roi_pct numeric,
    customers_paid_back bigint,
    median_cac_payback_days integer
);

create index summary_acquisition_channel_performance_firm_sk
on analytics.summary_acquisition_channel_performance (firm_sk, as_of);

comment on table analytics.summary_acquisition_channel_performance is
'Stored results of mart.acquisition_channel_performance, '
'one row per channel and month of leads of each snapshot.';

create table analytics.summary_cohort_member (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    customer_sk bigint,
    customer_id text,
    has_bought boolean,
    cohort_month date,
    first_order_date date,
    first_product_id text,
    first_product_name text,
    first_channel text,
    acquisition_channel text,
    first_discount text
);

create index summary_cohort_member_firm_sk
on analytics.summary_cohort_member (firm_sk, as_of, customer_id);

comment on table analytics.summary_cohort_member is
'Stored results of mart.cohort_member, '
'one row per customer of each snapshot.';

comment on column analytics.summary_cohort_value.attribute_name is
'The column attribute of vw_cohort_value.';
comment on column analytics.summary_cohort_forecast.attribute_name is
'The column attribute of vw_cohort_forecast.';
comment on column analytics.summary_product_lifecycle.stage_name is
'The column stage of vw_product_lifecycle.';

-- A parameter may be unknown: then no summary is stored.
create function analytics.has_summary(summary_name text, firm text, as_of date)
returns boolean
language sql
stable
as $$

select
    exists(
        select dim_summary.firm_sk
        from analytics.dim_firm
        inner join analytics.dim_summary on dim_firm.firm_sk = dim_summary.firm_sk
        where
            dim_firm.firm_key = has_summary.firm
            and dim_summary.summary_name = has_summary.summary_name
            and dim_summary.as_of = has_summary.as_of
    ) as is_stored;
$$;

comment on function analytics.has_summary is
'Whether a summary of a firm and day is stored, also one without rows.';

-- Lifetime value: tiers, and what each customer was and is expected to be worth.

create table analytics.dim_customer_tier (
    tier_sk integer primary key,
    tier_code text not null unique,
    tier_name text not null,
    tier_level smallint not null unique check (tier_level between 1 and 5),
    lowest_percentile double precision not null,
    tier_description text not null
);

comment on table analytics.dim_customer_tier is
'One row per value tier; a firm''s customers are placed by value_percentile.';
comment on column analytics.dim_customer_tier.tier_sk is 'Tier; the same number as its level.';
comment on column analytics.dim_customer_tier.tier_code is 'Short stable name.';
comment on column analytics.dim_customer_tier.tier_name is 'Name as people say it.';
comment on column analytics.dim_customer_tier.lowest_percentile is
'value_percentile from which one is in it.';
comment on column analytics.dim_customer_tier.tier_description is 'Who is in it.';

insert into analytics.dim_customer_tier (
    tier_sk, tier_code, tier_name, tier_level, lowest_percentile, tier_description
)
values
(5, 'platinum', 'Platinum', 5, 90, 'The tenth of the firm''s customers worth most.'),
(4, 'gold', 'Gold', 4, 70, 'The next fifth.'),
(3, 'silver', 'Silver', 3, 40, 'The middle three tenths.'),
(2, 'bronze', 'Bronze', 2, 20, 'The fifth below the middle.'),
(1, 'basic', 'Basic', 1, 0, 'The fifth worth least.');

create table analytics.fact_customer_ltv (
    firm_sk integer not null,
    as_of date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    tenure_days integer not null check (tenure_days >= 1),
    tenure_months integer not null,
    total_historical_revenue numeric(18, 4) not null check (total_historical_revenue <> 'NaN'),
    total_historical_orders bigint not null check (total_historical_orders >= 1),
    total_historical_profit numeric(18, 4) not null check (total_historical_profit <> 'NaN'),
    avg_order_value numeric(18, 4) check (avg_order_value <> 'NaN'),
    avg_orders_per_month double precision not null check (avg_orders_per_month between 0 and 1e6),
    avg_margin_percentage double precision check (avg_margin_percentage <> 'NaN'),
    avg_monthly_revenue numeric(18, 4) not null check (avg_monthly_revenue <> 'NaN'),
    historical_clv numeric(18, 4) not null check (historical_clv <> 'NaN'),
    expected_orders_1_year double precision check (expected_orders_1_year between 0 and 1e6),
    probability_alive double precision check (probability_alive between 0 and 1),
    predicted_clv_1_year numeric(18, 4) check (predicted_clv_1_year <> 'NaN'),
    predicted_clv_3_year numeric(18, 4) check (predicted_clv_3_year <> 'NaN'),
    predicted_clv_lifetime numeric(18, 4) check (predicted_clv_lifetime <> 'NaN'),
    predicted_clv_1_year_low numeric(18, 4) check (predicted_clv_1_year_low <> 'NaN'),
    predicted_clv_1_year_high numeric(18, 4) check (predicted_clv_1_year_high <> 'NaN'),
    clv_confidence_score double precision check (clv_confidence_score between 0 and 100),
    expected_next_order_date date,
    clv_segment text not null,
    tier_sk integer not null,
    value_percentile double precision not null check (value_percentile between 0 and 100),
    lifecycle_stage text not null,
    clv_trend text check (clv_trend in ('increasing', 'stable', 'decreasing')),
    clv_change_pct_30d double precision check (clv_change_pct_30d <> 'NaN'),
    margin_source text not null check (margin_source in ('source', 'setting')),
    method text not null,
    model_version text not null,
    manifest_token bigint not null,
    primary key (firm_sk, as_of, customer_sk)
) partition by list (firm_sk);

create index fact_customer_ltv_date_sk on analytics.fact_customer_ltv (date_sk);
create index fact_customer_ltv_customer_sk on analytics.fact_customer_ltv (customer_sk, as_of);
create index fact_customer_ltv_tier_sk on analytics.fact_customer_ltv (tier_sk, as_of);

comment on table analytics.fact_customer_ltv is
'One row per customer with a sale before as_of and snapshot: value so far and expected, tier and segment.';
comment on column analytics.fact_customer_ltv.date_sk is 'Row of dim_date for as_of.';
comment on column analytics.fact_customer_ltv.tier_sk is 'Row of dim_customer_tier.';
comment on column analytics.fact_customer_ltv.clv_change_pct_30d is
'Change in percent of predicted_clv_1_year since the latest snapshot at least 30 days older.';
comment on column analytics.fact_customer_ltv.clv_trend is
'Of that change: increasing above 5 percent, decreasing below -5, else stable; null when it is unknown.';

-- Facts, one partition a firm. Surrogate keys are looked up by the load and checked there, not by foreign
-- keys: five million trigger calls would cost more than the load itself.

create table analytics.fact_sales (
    firm_sk integer not null,
    order_date date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    product_sk bigint not null,
    transaction_id text not null,
    line_id text not null,
    kind text not null check (kind in ('sale', 'return')),
    occurred_at timestamptz not null,
    quantity numeric(18, 4) not null check (quantity <> 'NaN'),
    gross_amount numeric(18, 4) not null check (gross_amount <> 'NaN'),
    discount_amount numeric(18, 4) not null check (discount_amount <> 'NaN'),
    net_amount numeric(18, 4) not null check (net_amount <> 'NaN'),
    margin_amount numeric(18, 4) check (margin_amount <> 'NaN'),
    channel text,
    payment_method text,
    programme_id text
) partition by list (firm_sk);

-- Months are loaded one after another: a summary of each range of pages finds a month, at no cost to loads.
create index fact_sales_order_date on analytics.fact_sales using brin (order_date) with (autosummarize = on);
create index fact_sales_customer_sk on analytics.fact_sales (customer_sk, order_date);

comment on table analytics.fact_sales is
'One row per line of a sale or a return. Amounts of returns are negative, so that plain sums are right.';
comment on column analytics.fact_sales.quantity is 'Units; negative for a return.';
comment on column analytics.fact_sales.gross_amount is 'Before discounts; negative for a return.';
comment on column analytics.fact_sales.discount_amount is 'Discounts given; negative for a return.';
comment on column analytics.fact_sales.net_amount is 'Gross less discount; negative for a return.';
comment on column analytics.fact_sales.margin_amount is
'Net less cost of goods; of a return with its sign turned; null when unknown.';
comment on column analytics.fact_sales.date_sk is 'Row of dim_date for order_date.';

create table analytics.fact_customer_rfm (
    firm_sk integer not null,
    as_of date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    days_since_last_order integer not null check (days_since_last_order >= 1),
    last_order_date date not null,
    order_count_30_days bigint not null check (order_count_30_days >= 0),
    total_spend_30_days numeric(18, 4) not null check (total_spend_30_days <> 'NaN'),
    order_count_90_days bigint not null check (order_count_90_days >= 0),
    total_spend_90_days numeric(18, 4) not null check (total_spend_90_days <> 'NaN'),
    order_count_180_days bigint not null check (order_count_180_days >= 0),
    total_spend_180_days numeric(18, 4) not null check (total_spend_180_days <> 'NaN'),
    order_count_365_days bigint not null check (order_count_365_days >= 0),
    total_spend_365_days numeric(18, 4) not null check (total_spend_365_days <> 'NaN'),
    order_count bigint not null check (order_count >= 1),
    total_spend numeric(18, 4) not null check (total_spend <> 'NaN'),
    window_orders bigint not null check (window_orders >= 0),
    window_spend numeric(18, 4) not null check (window_spend <> 'NaN'),
    avg_days_between_orders double precision check (avg_days_between_orders between 0 and 1e6),
    avg_order_value numeric(18, 4) check (avg_order_value <> 'NaN'),
    recency_score smallint check (recency_score between 1 and 5),
    frequency_score smallint check (frequency_score between 1 and 5),
    monetary_score smallint check (monetary_score between 1 and 5),
    rfm_score text check (rfm_score ~ '^[1-5]{3}$'),
    rfm_composite_score integer generated always as (
        recency_score * 100 + frequency_score * 10 + monetary_score
    ) stored,
    recency_percentile double precision check (recency_percentile between 0 and 100),
    frequency_percentile double precision check (frequency_percentile between 0 and 100),
    monetary_percentile double precision check (monetary_percentile between 0 and 100),
    rfm_segment_sk integer not null,
    activity_status text not null,
    previous_rfm_score text,
    previous_segment_sk integer,
    rfm_score_change text,
    segment_changed boolean,
    manifest_token bigint not null,
    primary key (firm_sk, as_of, customer_sk)
) partition by list (firm_sk);

create index fact_customer_rfm_date_sk on analytics.fact_customer_rfm (date_sk);
create index fact_customer_rfm_customer_sk on analytics.fact_customer_rfm (customer_sk, as_of);
create index fact_customer_rfm_segment_sk on analytics.fact_customer_rfm (rfm_segment_sk, as_of);

comment on table analytics.fact_customer_rfm is
'One row per customer with a sale before as_of and snapshot: RFM scores, percentiles, segment and status.';
comment on column analytics.fact_customer_rfm.date_sk is 'Row of dim_date for as_of.';
comment on column analytics.fact_customer_rfm.rfm_composite_score is
'The three scores, R F M, as a number: 555.';
comment on column analytics.fact_customer_rfm.rfm_segment_sk is 'Row of dim_customer_segment.';
comment on column analytics.fact_customer_rfm.previous_rfm_score is
'rfm_score in the firm''s snapshot before this one; null when the customer was not in it.';
comment on column analytics.fact_customer_rfm.previous_segment_sk is
'Segment in the firm''s snapshot before this one; null when the customer was not in it.';
comment on column analytics.fact_customer_rfm.rfm_score_change is
'Previous and present rfm_score, as ''444->432''; null when either is missing.';
comment on column analytics.fact_customer_rfm.segment_changed is
'Whether the segment differs from the one before; null when the customer was not in that snapshot.';

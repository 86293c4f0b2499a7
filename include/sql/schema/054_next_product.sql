-- The next product of each customer, and the test that decides whether a firm gets suggestions.

create table analytics.fact_customer_next_product (
    firm_sk integer not null,
    as_of date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    product_sk bigint not null,
    product_rank smallint not null check (product_rank between 1 and 6),
    kind text not null check (kind in ('repeat', 'new')),
    purchase_probability double precision not null check (purchase_probability between 0 and 1),
    reason_code text not null check (reason_code in ('bought_before', 'bought_together', 'popular')),
    because_product_sk bigint,
    purchase_days bigint not null check (purchase_days >= 0),
    last_purchase_date date,
    usual_gap_days double precision check (usual_gap_days >= 0),
    due_date date check (due_date >= as_of),
    manifest_token bigint not null,
    primary key (firm_sk, as_of, customer_sk, product_rank)
) partition by list (firm_sk);

create index fact_customer_next_product_date_sk on analytics.fact_customer_next_product (date_sk);
create index fact_customer_next_product_customer_sk
on analytics.fact_customer_next_product (customer_sk, as_of);
create index fact_customer_next_product_product_sk
on analytics.fact_customer_next_product (product_sk, as_of);

comment on table analytics.fact_customer_next_product is
'One row per customer who ordered lately, snapshot and suggested product: at most six, by rank.';
comment on column analytics.fact_customer_next_product.date_sk is 'Row of dim_date for as_of.';
comment on column analytics.fact_customer_next_product.product_sk is 'Row of dim_product: what is suggested.';
comment on column analytics.fact_customer_next_product.because_product_sk is
'Row of dim_product, of bought_together: the product of the customer that the suggestion follows from.';

create table analytics.fact_next_product_test (
    firm_sk integer not null,
    as_of date not null,
    date_sk integer not null,
    tested_from date not null check (tested_from < as_of),
    horizon_days integer not null check (horizon_days >= 1),
    is_used boolean not null,
    reason text not null,
    tested_customers bigint not null check (tested_customers >= 0),
    hit_rate_at_5 double precision check (hit_rate_at_5 between 0 and 1),
    popular_hit_rate_at_5 double precision check (popular_hit_rate_at_5 between 0 and 1),
    hit_rate_difference double precision check (hit_rate_difference between -1 and 1),
    difference_standard_error double precision check (difference_standard_error >= 0),
    fitted_customers bigint not null check (fitted_customers >= 0),
    repeat_intercept double precision,
    repeat_rate_weight double precision,
    repeat_once_weight double precision,
    repeat_orders_weight double precision,
    repeat_popularity_weight double precision,
    new_intercept double precision,
    new_together_weight double precision,
    new_orders_weight double precision,
    new_popularity_weight double precision,
    manifest_token bigint not null,
    primary key (firm_sk, as_of)
) partition by list (firm_sk);

create index fact_next_product_test_date_sk on analytics.fact_next_product_test (date_sk);

comment on table analytics.fact_next_product_test is
'One row per snapshot: suggested products tested on the firm''s last window, beside the best-selling ones.';
comment on column analytics.fact_next_product_test.date_sk is 'Row of dim_date for as_of.';

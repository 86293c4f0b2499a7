-- vw_next_product_test: whether suggested products beat the best-selling ones, and why they are off.
-- Grain: firm_key. The function takes any as_of, the view each firm's latest.

create or replace function mart.next_product_test(firm text, as_of date)
returns table (
    is_used boolean,
    reason text,
    tested_from date,
    horizon_days integer,
    tested_customers bigint,
    hit_rate_at_5 double precision,
    popular_hit_rate_at_5 double precision,
    hit_rate_difference double precision,
    difference_standard_error double precision
)
language sql
stable
as $$
select
    fact_next_product_test.is_used,
    fact_next_product_test.reason,
    fact_next_product_test.tested_from,
    fact_next_product_test.horizon_days,
    fact_next_product_test.tested_customers,
    fact_next_product_test.hit_rate_at_5,
    fact_next_product_test.popular_hit_rate_at_5,
    fact_next_product_test.hit_rate_difference,
    fact_next_product_test.difference_standard_error
from analytics.dim_firm
inner join analytics.fact_next_product_test on dim_firm.firm_sk = fact_next_product_test.firm_sk
where
    dim_firm.firm_key = next_product_test.firm
    and fact_next_product_test.as_of = next_product_test.as_of
$$;

create or replace view mart.vw_next_product_test
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    tested.*
from mart.vw_latest_snapshot
cross join
    lateral mart.next_product_test(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as tested
where vw_latest_snapshot.fact_name = 'fact_next_product_test';

comment on function mart.next_product_test is 'vw_next_product_test of one firm at any as_of.';
comment on view mart.vw_next_product_test is
'One row per firm: suggested products tested on the firm''s own last window, and whether they are used.';
comment on column mart.vw_next_product_test.is_used is
'Whether vw_customer_next_product has rows: the suggestions beat the best-selling products by two standard '
'errors.';
comment on column mart.vw_next_product_test.reason is 'The result of the test, or what is missing, in words.';
comment on column mart.vw_next_product_test.tested_from is 'First day of the window of the test.';
comment on column mart.vw_next_product_test.horizon_days is 'Days of that window.';
comment on column mart.vw_next_product_test.tested_customers is 'Customers of the test.';
comment on column mart.vw_next_product_test.hit_rate_at_5 is
'Share of customers whose next order had one of their five suggested products; 0 to 1.';
comment on column mart.vw_next_product_test.popular_hit_rate_at_5 is
'Share of customers whose next order had one of the five best-selling products; 0 to 1.';
comment on column mart.vw_next_product_test.hit_rate_difference is 'The first less the second share.';
comment on column mart.vw_next_product_test.difference_standard_error is 'Standard error of the difference.';

-- vw_customer_cohort_analysis: retention and revenue by month of first purchase.
-- Grain: firm_key, cohort_month, activity_month. The function takes any as_of, the view each firm's latest.
-- Months without a buyer have a row with zero active customers.

create or replace function mart.customer_cohort_analysis(firm text, as_of date)
returns table (
    cohort_month date,
    activity_month date,
    months_since_acquisition integer,
    cohort_size bigint,
    active_customers bigint,
    retention_pct numeric,
    cohort_revenue numeric,
    avg_revenue_per_customer numeric,
    is_complete boolean
)
language sql
stable
as $$
with customer_months as (

    select
        fact_sales.customer_sk,
        date_trunc('month', fact_sales.order_date)::date as activity_month,
        sum(fact_sales.net_amount) as net_amount,
        bool_or(fact_sales.kind = 'sale') as has_bought
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    inner join analytics.dim_customer
        on
            fact_sales.customer_sk = dim_customer.customer_sk
            and not dim_customer.is_anonymous
    where
        dim_firm.firm_key = customer_cohort_analysis.firm
        and fact_sales.order_date < customer_cohort_analysis.as_of
    group by
        fact_sales.customer_sk,
        date_trunc('month', fact_sales.order_date)::date

),

members as (

    select
        customer_months.customer_sk,
        min(customer_months.activity_month) as cohort_month
    from customer_months
    where customer_months.has_bought
    group by customer_months.customer_sk

),

cohorts as (

    select
        members.cohort_month,
        count(*) as cohort_size
    from members
    group by members.cohort_month

),

activity as (

    select
        members.cohort_month,
        customer_months.activity_month,
        count(*) filter (where customer_months.has_bought) as active_customers,
        sum(customer_months.net_amount) as cohort_revenue
    from members
    inner join customer_months on members.customer_sk = customer_months.customer_sk
    group by
        members.cohort_month,
        customer_months.activity_month

),

months as (

    select
        cohorts.cohort_month,
        cohorts.cohort_size,
        calendar.month_start::date as activity_month
    from cohorts
    cross join lateral generate_series(
        cohorts.cohort_month::timestamp,
        (customer_cohort_analysis.as_of - 1)::timestamp,
        interval '1 month'
    ) as calendar (month_start)

)

select
    months.cohort_month,
    months.activity_month,
    (
        12 * (extract(year from months.activity_month) - extract(year from months.cohort_month))
        + extract(month from months.activity_month) - extract(month from months.cohort_month)
    )::integer as months_since_acquisition,
    months.cohort_size,
    coalesce(activity.active_customers, 0) as active_customers,
    round(100.0 * coalesce(activity.active_customers, 0) / months.cohort_size, 1) as retention_pct,
    coalesce(activity.cohort_revenue, 0) as cohort_revenue,
    round(coalesce(activity.cohort_revenue, 0) / months.cohort_size, 2) as avg_revenue_per_customer,
    (months.activity_month + interval '1 month')::date <= customer_cohort_analysis.as_of as is_complete
from months
left join activity
    on
        months.cohort_month = activity.cohort_month
        and months.activity_month = activity.activity_month
$$;

create or replace view mart.vw_customer_cohort_analysis
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    cohorts.*
from mart.vw_latest_snapshot
cross join
    lateral mart.customer_cohort_analysis(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as cohorts
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.customer_cohort_analysis is 'vw_customer_cohort_analysis of one firm at any as_of.';
comment on view mart.vw_customer_cohort_analysis is
'One row per firm, month of first purchase and month since: active customers and revenue.';
comment on column mart.vw_customer_cohort_analysis.cohort_month is
'First day of the month of the first purchase.';
comment on column mart.vw_customer_cohort_analysis.activity_month is 'First day of the month of activity.';
comment on column mart.vw_customer_cohort_analysis.months_since_acquisition is
'Months from cohort_month to activity_month; 0 is the month of the first purchase.';
comment on column mart.vw_customer_cohort_analysis.cohort_size is
'Customers whose first purchase was in cohort_month.';
comment on column mart.vw_customer_cohort_analysis.active_customers is
'Customers of the cohort with a purchase in activity_month.';
comment on column mart.vw_customer_cohort_analysis.retention_pct is
'active_customers in percent of cohort_size.';
comment on column mart.vw_customer_cohort_analysis.cohort_revenue is
'Net spend of the cohort in activity_month, less returns.';
comment on column mart.vw_customer_cohort_analysis.avg_revenue_per_customer is
'cohort_revenue per customer of the cohort, active or not.';
comment on column mart.vw_customer_cohort_analysis.is_complete is
'False if the month had not ended at as_of: do not compare it with complete months.';

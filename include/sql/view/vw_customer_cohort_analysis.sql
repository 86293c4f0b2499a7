-- vw_customer_cohort_analysis: retention and revenue by month of first purchase.
-- Grain: firm_key, cohort_month, activity_month. The function takes any as_of, the view each firm's latest.
-- Months without a buyer have a row with zero active customers.

create or replace function mart.customer_cohort_analysis_from_facts(firm text, as_of date)
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
-- A month is a number as yyyymm: date_sk without its day.
with customer_months as (

    select
        fact_sales.customer_sk,
        fact_sales.date_sk / 100 as activity_month,
        sum(fact_sales.net_amount) as net_amount,
        bool_or(fact_sales.kind = 'sale') as has_bought
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    inner join analytics.dim_customer
        on
            fact_sales.customer_sk = dim_customer.customer_sk
            and not dim_customer.is_anonymous
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = customer_cohort_analysis_from_facts.firm
        )
        and fact_sales.order_date < customer_cohort_analysis_from_facts.as_of
    group by
        fact_sales.customer_sk,
        fact_sales.date_sk / 100

),

members as (

    select
        customer_months.customer_sk,
        min(customer_months.activity_month) as cohort_key
    from customer_months
    where customer_months.has_bought
    group by customer_months.customer_sk

),

cohorts as (

    select
        members.cohort_key,
        to_date(members.cohort_key::text, 'YYYYMM') as cohort_month,
        count(*) as cohort_size
    from members
    group by members.cohort_key

),

activity as (

    select
        to_date(members.cohort_key::text, 'YYYYMM') as cohort_month,
        to_date(customer_months.activity_month::text, 'YYYYMM') as activity_month,
        count(*) filter (where customer_months.has_bought) as active_customers,
        sum(customer_months.net_amount) as cohort_revenue
    from members
    inner join customer_months on members.customer_sk = customer_months.customer_sk
    group by
        members.cohort_key,
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
        (customer_cohort_analysis_from_facts.as_of - 1)::timestamp,
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
    (months.activity_month + interval '1 month')::date <= customer_cohort_analysis_from_facts.as_of as is_complete
from months
left join activity
    on
        months.cohort_month = activity.cohort_month
        and months.activity_month = activity.activity_month
$$;

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
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.cohort_month,
        kept.activity_month,
        kept.months_since_acquisition,
        kept.cohort_size,
        kept.active_customers,
        kept.retention_pct,
        kept.cohort_revenue,
        kept.avg_revenue_per_customer,
        kept.is_complete
    from analytics.dim_firm
    inner join analytics.summary_customer_cohort_analysis as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = customer_cohort_analysis.firm
        and kept.as_of = customer_cohort_analysis.as_of;
    if
        not found
        and not analytics.has_summary('customer_cohort_analysis', customer_cohort_analysis.firm, customer_cohort_analysis.as_of)
    then
        return query
        select made.*
        from
            mart.customer_cohort_analysis_from_facts(
                customer_cohort_analysis.firm, customer_cohort_analysis.as_of
            ) as made;
    end if;
end
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

comment on function mart.customer_cohort_analysis_from_facts is
'Result of customer_cohort_analysis computed from the facts, not read from the summary.';
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

create or replace view mart.vw_customer_cohort_analysis_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.cohort_month,
    kept.activity_month,
    kept.months_since_acquisition,
    kept.cohort_size,
    kept.active_customers,
    kept.retention_pct,
    kept.cohort_revenue,
    kept.avg_revenue_per_customer,
    kept.is_complete
from analytics.summary_customer_cohort_analysis as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_customer_cohort_analysis_history is
'vw_customer_cohort_analysis of every stored snapshot: one row per as_of and row of that view.';

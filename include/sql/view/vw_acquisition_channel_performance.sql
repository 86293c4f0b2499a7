-- vw_acquisition_channel_performance: cost and results of each channel's leads, by month of the leads.
-- Grain: firm_key, cohort_month, channel_code. The function takes any as_of, the view each firm's latest.
-- A cohort counts the cost of all its leads and every customer won from them, whatever the date.

create or replace function mart.acquisition_channel_performance_from_facts(firm text, as_of date)
returns table (
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
)
language sql
stable
as $$
with rows_of as (

    select
        date_trunc(
            'month',
            coalesce(
                fact_customer_acquisition.lead_created_date, fact_customer_acquisition.acquired_date
            )
        )::date as cohort_month,
        dim_interaction_channel.channel_code,
        dim_interaction_channel.channel_name,
        dim_interaction_channel.channel_category,
        fact_customer_acquisition.lead_id,
        fact_customer_acquisition.is_acquisition,
        fact_customer_acquisition.acquisition_cost,
        fact_customer_acquisition.days_to_convert,
        fact_customer_acquisition.first_order_value,
        fact_customer_acquisition.revenue_365_days,
        fact_customer_acquisition.cac_payback_days
    from analytics.dim_firm
    inner join analytics.fact_customer_acquisition
        on dim_firm.firm_sk = fact_customer_acquisition.firm_sk
    inner join analytics.dim_interaction_channel
        on fact_customer_acquisition.channel_sk = dim_interaction_channel.channel_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = acquisition_channel_performance_from_facts.firm
        )
        and fact_customer_acquisition.as_of = acquisition_channel_performance_from_facts.as_of

),

cohorts as (

    select
        rows_of.cohort_month,
        rows_of.channel_code,
        rows_of.channel_name,
        rows_of.channel_category,
        count(rows_of.lead_id) as leads,
        count(*) filter (where rows_of.is_acquisition) as customers_acquired,
        sum(rows_of.acquisition_cost) as total_acquisition_cost,
        avg(rows_of.days_to_convert) filter (where rows_of.is_acquisition) as avg_days_to_convert,
        avg(rows_of.first_order_value) as avg_first_order_value,
        count(rows_of.revenue_365_days) as customers_matured,
        sum(rows_of.revenue_365_days) as total_revenue_365,
        count(rows_of.cac_payback_days) as customers_paid_back,
        -- A customer who has not paid back counts as slowest; without them the median would be too low.
        percentile_disc(0.5) within group (
            order by coalesce(rows_of.cac_payback_days, 2147483647)
        ) filter (
            where rows_of.is_acquisition and rows_of.acquisition_cost is not null
        ) as median_payback
    from rows_of
    group by
        rows_of.cohort_month,
        rows_of.channel_code,
        rows_of.channel_name,
        rows_of.channel_category

)

select
    cohorts.cohort_month,
    cohorts.channel_code,
    cohorts.channel_name,
    cohorts.channel_category,
    cohorts.leads,
    cohorts.customers_acquired,
    cohorts.total_acquisition_cost,
    round(cohorts.total_acquisition_cost / nullif(cohorts.customers_acquired, 0), 2) as avg_cac,
    round(cohorts.avg_days_to_convert, 1) as avg_days_to_convert,
    round(cohorts.avg_first_order_value, 2) as avg_first_order_value,
    cohorts.customers_matured,
    cohorts.total_revenue_365,
    round(cohorts.total_revenue_365 / nullif(cohorts.customers_matured, 0), 2) as avg_revenue_365,
    case
        when
            cohorts.customers_matured = cohorts.customers_acquired
            and (cohorts.cohort_month + interval '13 months')::date <= acquisition_channel_performance_from_facts.as_of
            then
                round(
                    100 * (coalesce(cohorts.total_revenue_365, 0) - cohorts.total_acquisition_cost)
                    / nullif(cohorts.total_acquisition_cost, 0),
                    1
                )
    end as acquisition_roi_pct,
    cohorts.customers_paid_back,
    nullif(cohorts.median_payback, 2147483647) as median_cac_payback_days
from cohorts
$$;

create or replace function mart.acquisition_channel_performance(firm text, as_of date)
returns table (
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
        kept.channel_code,
        kept.channel_name,
        kept.channel_category,
        kept.leads,
        kept.customers_acquired,
        kept.total_acquisition_cost,
        kept.avg_cac,
        kept.avg_days_to_convert,
        kept.avg_first_order_value,
        kept.customers_matured,
        kept.total_revenue_365,
        kept.avg_revenue_365,
        kept.acquisition_roi_pct,
        kept.customers_paid_back,
        kept.median_cac_payback_days
    from analytics.dim_firm
    inner join analytics.summary_acquisition_channel_performance as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = acquisition_channel_performance.firm
        and kept.as_of = acquisition_channel_performance.as_of;
    if
        not found
        and not analytics.has_summary('acquisition_channel_performance', acquisition_channel_performance.firm, acquisition_channel_performance.as_of)
    then
        return query
        select made.*
        from
            mart.acquisition_channel_performance_from_facts(
                acquisition_channel_performance.firm, acquisition_channel_performance.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_acquisition_channel_performance
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    channels.*
from mart.vw_latest_snapshot
cross join
    lateral mart.acquisition_channel_performance(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of)
        as channels
where vw_latest_snapshot.fact_name = 'fact_customer_acquisition';

comment on function mart.acquisition_channel_performance_from_facts is
'Result of acquisition_channel_performance computed from the facts, not read from the summary.';
comment on function mart.acquisition_channel_performance is
'vw_acquisition_channel_performance of one firm at any as_of.';
comment on view mart.vw_acquisition_channel_performance is
'One row per firm, channel and month of the leads; for customers without a lead, month of the first order.';
comment on column mart.vw_acquisition_channel_performance.cohort_month is
'First day of the month of the leads; for customers without a lead, of the first order.';
comment on column mart.vw_acquisition_channel_performance.leads is
'Leads, converted or not.';
comment on column mart.vw_acquisition_channel_performance.customers_acquired is
'Customers acquired, from these leads or without a lead.';
comment on column mart.vw_acquisition_channel_performance.total_acquisition_cost is
'Cost of all leads, converted or not; null when unknown.';
comment on column mart.vw_acquisition_channel_performance.avg_cac is
'total_acquisition_cost per customer acquired.';
comment on column mart.vw_acquisition_channel_performance.avg_days_to_convert is
'Mean days from lead to customer.';
comment on column mart.vw_acquisition_channel_performance.avg_first_order_value is
'Mean sale amount of a customer''s first day with an order.';
comment on column mart.vw_acquisition_channel_performance.customers_matured is
'Customers acquired at least 365 days before as_of.';
comment on column mart.vw_acquisition_channel_performance.total_revenue_365 is
'Net spend of matured customers in their first 365 days.';
comment on column mart.vw_acquisition_channel_performance.avg_revenue_365 is
'total_revenue_365 per matured customer.';
comment on column mart.vw_acquisition_channel_performance.acquisition_roi_pct is
'Revenue less cost, in percent of cost; null until a year after the cohort''s month.';
comment on column mart.vw_acquisition_channel_performance.customers_paid_back is
'Customers whose net spend covers the cost of their lead.';
comment on column mart.vw_acquisition_channel_performance.median_cac_payback_days is
'Median days to pay back, over customers with a known cost; null until half of them have paid back.';
comment on column mart.vw_acquisition_channel_performance.channel_code is 'Code of the channel.';
comment on column mart.vw_acquisition_channel_performance.channel_name is 'Name of the channel.';
comment on column mart.vw_acquisition_channel_performance.channel_category is
'digital, physical, phone or partner.';

create or replace view mart.vw_acquisition_channel_performance_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.cohort_month,
    kept.channel_code,
    kept.channel_name,
    kept.channel_category,
    kept.leads,
    kept.customers_acquired,
    kept.total_acquisition_cost,
    kept.avg_cac,
    kept.avg_days_to_convert,
    kept.avg_first_order_value,
    kept.customers_matured,
    kept.total_revenue_365,
    kept.avg_revenue_365,
    kept.acquisition_roi_pct,
    kept.customers_paid_back,
    kept.median_cac_payback_days
from analytics.summary_acquisition_channel_performance as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_acquisition_channel_performance_history is
'vw_acquisition_channel_performance of every stored snapshot: one row per as_of and row of that view.';

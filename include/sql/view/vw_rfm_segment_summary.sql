-- vw_rfm_segment_summary: customers, revenue, orders and activity of each RFM segment.
-- Grain: firm_key, segment_code. The function takes any as_of, the view each firm's latest.

create or replace function mart.rfm_segment_summary_from_facts(firm text, as_of date)
returns table (
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
)
language sql
stable
as $$
select
    dim_customer_segment.segment_name as rfm_segment,
    dim_customer_segment.segment_code,
    count(*) as customer_count,
    round(100.0 * count(*) / sum(count(*)) over (), 1) as pct_of_customers,
    sum(fact_customer_rfm.total_spend_365_days) as total_revenue_365,
    round(avg(fact_customer_rfm.total_spend_365_days), 2) as avg_revenue_per_customer,
    round(avg(fact_customer_rfm.order_count_365_days), 1) as avg_orders_per_customer,
    round(
        sum(fact_customer_rfm.avg_order_value * fact_customer_rfm.order_count)
        / sum(fact_customer_rfm.order_count) filter (where fact_customer_rfm.avg_order_value is not null),
        2
    ) as avg_order_value,
    round(avg(fact_customer_rfm.days_since_last_order), 0) as avg_days_since_last_order,
    count(*) filter (where fact_customer_rfm.days_since_last_order <= 30) as active_last_30_days,
    count(*) filter (where fact_customer_rfm.days_since_last_order > 90) as inactive_over_90_days,
    dim_customer_segment.value_tier
from analytics.dim_firm
inner join analytics.fact_customer_rfm on dim_firm.firm_sk = fact_customer_rfm.firm_sk
inner join analytics.dim_customer_segment
    on fact_customer_rfm.rfm_segment_sk = dim_customer_segment.segment_sk
where
    dim_firm.firm_sk = (
        select named.firm_sk
        from analytics.dim_firm as named
        where named.firm_key = rfm_segment_summary_from_facts.firm
    )
    and fact_customer_rfm.as_of = rfm_segment_summary_from_facts.as_of
group by
    dim_customer_segment.segment_name,
    dim_customer_segment.segment_code,
    dim_customer_segment.value_tier
$$;

create or replace function mart.rfm_segment_summary(firm text, as_of date)
returns table (
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
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.rfm_segment,
        kept.segment_code,
        kept.customer_count,
        kept.pct_of_customers,
        kept.total_revenue_365,
        kept.avg_revenue_per_customer,
        kept.avg_orders_per_customer,
        kept.avg_order_value,
        kept.avg_days_since_last_order,
        kept.active_last_30_days,
        kept.inactive_over_90_days,
        kept.value_tier
    from analytics.dim_firm
    inner join analytics.summary_rfm_segment_summary as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = rfm_segment_summary.firm
        and kept.as_of = rfm_segment_summary.as_of;
    if
        not found
        and not analytics.has_summary('rfm_segment_summary', rfm_segment_summary.firm, rfm_segment_summary.as_of)
    then
        return query
        select made.*
        from
            mart.rfm_segment_summary_from_facts(
                rfm_segment_summary.firm, rfm_segment_summary.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_rfm_segment_summary
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    health.*
from mart.vw_latest_snapshot
cross join lateral mart.rfm_segment_summary(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as health
where vw_latest_snapshot.fact_name = 'fact_customer_rfm';

comment on function mart.rfm_segment_summary_from_facts is
'Result of rfm_segment_summary computed from the facts, not read from the summary.';
comment on function mart.rfm_segment_summary is 'vw_rfm_segment_summary of one firm at any as_of.';
comment on view mart.vw_rfm_segment_summary is
'One row per firm and RFM segment that has customers, at the firm''s latest snapshot.';
comment on column mart.vw_rfm_segment_summary.rfm_segment is 'Name of the segment.';
comment on column mart.vw_rfm_segment_summary.customer_count is 'Customers in the segment.';
comment on column mart.vw_rfm_segment_summary.pct_of_customers is
'Share of the firm''s customers, in percent.';
comment on column mart.vw_rfm_segment_summary.total_revenue_365 is 'Net spend of the last 365 days.';
comment on column mart.vw_rfm_segment_summary.avg_revenue_per_customer is
'Net spend of the last 365 days per customer.';
comment on column mart.vw_rfm_segment_summary.avg_orders_per_customer is
'Orders of the last 365 days per customer.';
comment on column mart.vw_rfm_segment_summary.avg_order_value is
'Sale amount per order, lifetime, over all orders of the segment (not a mean of customer means).';
comment on column mart.vw_rfm_segment_summary.avg_days_since_last_order is 'Mean days since the last order.';
comment on column mart.vw_rfm_segment_summary.active_last_30_days is
'Customers whose last order is at most 30 days old.';
comment on column mart.vw_rfm_segment_summary.inactive_over_90_days is
'Customers whose last order is more than 90 days old.';

create or replace view mart.vw_rfm_segment_summary_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.rfm_segment,
    kept.segment_code,
    kept.customer_count,
    kept.pct_of_customers,
    kept.total_revenue_365,
    kept.avg_revenue_per_customer,
    kept.avg_orders_per_customer,
    kept.avg_order_value,
    kept.avg_days_since_last_order,
    kept.active_last_30_days,
    kept.inactive_over_90_days,
    kept.value_tier
from analytics.summary_rfm_segment_summary as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_rfm_segment_summary_history is
'vw_rfm_segment_summary of every stored snapshot: one row per as_of and row of that view.';

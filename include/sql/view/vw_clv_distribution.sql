-- vw_clv_distribution: customers and value by quintile of predicted lifetime value; unknown is a bucket.
-- Grain: firm_key, bucket. The function takes any as_of, the view each firm's latest.

create or replace function mart.clv_distribution_from_facts(firm text, as_of date)
returns table (
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
)
language sql
stable
as $$
with bounds as (

    select
        percentile_disc(array[0.2, 0.4, 0.6, 0.8]) within group (
            order by fact_customer_ltv.predicted_clv_lifetime asc
        ) as fifths
    from analytics.dim_firm
    inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = clv_distribution_from_facts.firm
        )
        and fact_customer_ltv.as_of = clv_distribution_from_facts.as_of
        and fact_customer_ltv.predicted_clv_lifetime is not null

),

placed as (

    select
        dim_firm.currency,
        fact_customer_ltv.predicted_clv_lifetime,
        fact_customer_ltv.historical_clv,
        fact_customer_ltv.avg_order_value,
        fact_customer_ltv.total_historical_orders,
        fact_customer_ltv.avg_orders_per_month,
        fact_customer_ltv.tenure_months,
        case
            when fact_customer_ltv.predicted_clv_lifetime is null then 0
            when fact_customer_ltv.predicted_clv_lifetime <= bounds.fifths[1] then 1
            when fact_customer_ltv.predicted_clv_lifetime <= bounds.fifths[2] then 2
            when fact_customer_ltv.predicted_clv_lifetime <= bounds.fifths[3] then 3
            when fact_customer_ltv.predicted_clv_lifetime <= bounds.fifths[4] then 4
            else 5
        end as bucket
    from analytics.dim_firm
    inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
    cross join bounds
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = clv_distribution_from_facts.firm
        )
        and fact_customer_ltv.as_of = clv_distribution_from_facts.as_of

)

select
    placed.bucket,
    coalesce(
        round(min(placed.predicted_clv_lifetime), 2) || ' to '
        || round(max(placed.predicted_clv_lifetime), 2) || ' ' || placed.currency,
        'Unknown'
    ) as clv_bucket,
    min(placed.predicted_clv_lifetime) as lowest_clv,
    max(placed.predicted_clv_lifetime) as highest_clv,
    count(*) as customer_count,
    sum(placed.historical_clv) as total_historical_value,
    sum(placed.predicted_clv_lifetime) as total_predicted_value,
    round(
        sum(placed.avg_order_value * placed.total_historical_orders)
        / sum(placed.total_historical_orders) filter (where placed.avg_order_value is not null),
        2
    ) as avg_aov,
    round(cast(avg(placed.avg_orders_per_month) as numeric), 3) as avg_monthly_orders,
    round(avg(placed.tenure_months), 1) as avg_tenure_months
from placed
group by
    placed.bucket,
    placed.currency
$$;

create or replace function mart.clv_distribution(firm text, as_of date)
returns table (
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
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.bucket,
        kept.clv_bucket,
        kept.lowest_clv,
        kept.highest_clv,
        kept.customer_count,
        kept.total_historical_value,
        kept.total_predicted_value,
        kept.avg_aov,
        kept.avg_monthly_orders,
        kept.avg_tenure_months
    from analytics.dim_firm
    inner join analytics.summary_clv_distribution as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = clv_distribution.firm
        and kept.as_of = clv_distribution.as_of;
    if
        not found
        and not analytics.has_summary('clv_distribution', clv_distribution.firm, clv_distribution.as_of)
    then
        return query
        select made.*
        from
            mart.clv_distribution_from_facts(
                clv_distribution.firm, clv_distribution.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_clv_distribution
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    buckets.*
from mart.vw_latest_snapshot
cross join lateral mart.clv_distribution(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as buckets
where vw_latest_snapshot.fact_name = 'fact_customer_ltv';

comment on function mart.clv_distribution_from_facts is
'Result of clv_distribution computed from the facts, not read from the summary.';
comment on function mart.clv_distribution is 'vw_clv_distribution of one firm at any as_of.';
comment on view mart.vw_clv_distribution is
'One row per firm and quintile of predicted_clv_lifetime with customers, at the firm''s latest snapshot.';
comment on column mart.vw_clv_distribution.bucket is '1 lowest to 5 highest; 0 without a prediction.';
comment on column mart.vw_clv_distribution.clv_bucket is
'Range of the bucket as text, in the firm''s currency; Unknown without a prediction.';
comment on column mart.vw_clv_distribution.lowest_clv is 'Lowest predicted_clv_lifetime in the bucket.';
comment on column mart.vw_clv_distribution.highest_clv is 'Highest predicted_clv_lifetime in the bucket.';
comment on column mart.vw_clv_distribution.customer_count is 'Customers in the bucket.';
comment on column mart.vw_clv_distribution.total_historical_value is 'Sum of historical_clv.';
comment on column mart.vw_clv_distribution.total_predicted_value is 'Sum of predicted_clv_lifetime.';
comment on column mart.vw_clv_distribution.avg_aov is 'Sale amount per order, over all orders of the bucket.';
comment on column mart.vw_clv_distribution.avg_monthly_orders is 'Mean avg_orders_per_month.';
comment on column mart.vw_clv_distribution.avg_tenure_months is 'Mean tenure_months.';

create or replace view mart.vw_clv_distribution_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.bucket,
    kept.clv_bucket,
    kept.lowest_clv,
    kept.highest_clv,
    kept.customer_count,
    kept.total_historical_value,
    kept.total_predicted_value,
    kept.avg_aov,
    kept.avg_monthly_orders,
    kept.avg_tenure_months
from analytics.summary_clv_distribution as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_clv_distribution_history is
'vw_clv_distribution of every stored snapshot: one row per as_of and row of that view.';

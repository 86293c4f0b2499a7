-- vw_rfm_score_distribution: customers and revenue of each RFM cell.
-- Grain: firm_key, rfm_score. The function takes any as_of, the view each firm's latest.

create or replace function mart.rfm_score_distribution_from_facts(firm text, as_of date)
returns table (
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
)
language sql
stable
as $$
select
    fact_customer_rfm.rfm_score,
    fact_customer_rfm.recency_score,
    fact_customer_rfm.frequency_score,
    fact_customer_rfm.monetary_score,
    dim_customer_segment.segment_name,
    count(*) as customer_count,
    sum(fact_customer_rfm.total_spend_365_days) as total_revenue,
    round(
        sum(fact_customer_rfm.avg_order_value * fact_customer_rfm.order_count)
        / sum(fact_customer_rfm.order_count) filter (where fact_customer_rfm.avg_order_value is not null),
        2
    ) as avg_aov,
    fact_customer_rfm.recency_score as r_axis,
    fact_customer_rfm.frequency_score as f_axis,
    sum(fact_customer_rfm.total_spend_365_days) as heat_value
from analytics.dim_firm
inner join analytics.fact_customer_rfm on dim_firm.firm_sk = fact_customer_rfm.firm_sk
inner join analytics.dim_customer_segment
    on fact_customer_rfm.rfm_segment_sk = dim_customer_segment.segment_sk
where
    dim_firm.firm_sk = (
        select named.firm_sk
        from analytics.dim_firm as named
        where named.firm_key = rfm_score_distribution_from_facts.firm
    )
    and fact_customer_rfm.as_of = rfm_score_distribution_from_facts.as_of
group by
    fact_customer_rfm.rfm_score,
    fact_customer_rfm.recency_score,
    fact_customer_rfm.frequency_score,
    fact_customer_rfm.monetary_score,
    dim_customer_segment.segment_name
$$;

create or replace function mart.rfm_score_distribution(firm text, as_of date)
returns table (
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
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.rfm_score,
        kept.recency_score,
        kept.frequency_score,
        kept.monetary_score,
        kept.segment_name,
        kept.customer_count,
        kept.total_revenue,
        kept.avg_aov,
        kept.r_axis,
        kept.f_axis,
        kept.heat_value
    from analytics.dim_firm
    inner join analytics.summary_rfm_score_distribution as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = rfm_score_distribution.firm
        and kept.as_of = rfm_score_distribution.as_of;
    if
        not found
        and not analytics.has_summary('rfm_score_distribution', rfm_score_distribution.firm, rfm_score_distribution.as_of)
    then
        return query
        select made.*
        from
            mart.rfm_score_distribution_from_facts(
                rfm_score_distribution.firm, rfm_score_distribution.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_rfm_score_distribution
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    cells.*
from mart.vw_latest_snapshot
cross join lateral mart.rfm_score_distribution(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as cells
where vw_latest_snapshot.fact_name = 'fact_customer_rfm';

comment on function mart.rfm_score_distribution_from_facts is
'Result of rfm_score_distribution computed from the facts, not read from the summary.';
comment on function mart.rfm_score_distribution is 'vw_rfm_score_distribution of one firm at any as_of.';
comment on view mart.vw_rfm_score_distribution is
'One row per firm and cell of R, F and M scores that has customers, at the firm''s latest snapshot.';
comment on column mart.vw_rfm_score_distribution.customer_count is 'Customers in the cell.';
comment on column mart.vw_rfm_score_distribution.total_revenue is 'Net spend in the last 365 days.';
comment on column mart.vw_rfm_score_distribution.avg_aov is
'Sale amount per order, lifetime, over all orders of the cell.';
comment on column mart.vw_rfm_score_distribution.r_axis is 'recency_score, as a heat map''s axis.';
comment on column mart.vw_rfm_score_distribution.f_axis is 'frequency_score, as a heat map''s axis.';
comment on column mart.vw_rfm_score_distribution.heat_value is 'total_revenue, as a heat map''s value.';

create or replace view mart.vw_rfm_score_distribution_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.rfm_score,
    kept.recency_score,
    kept.frequency_score,
    kept.monetary_score,
    kept.segment_name,
    kept.customer_count,
    kept.total_revenue,
    kept.avg_aov,
    kept.r_axis,
    kept.f_axis,
    kept.heat_value
from analytics.summary_rfm_score_distribution as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_rfm_score_distribution_history is
'vw_rfm_score_distribution of every stored snapshot: one row per as_of and row of that view.';

-- vw_clv_tier_summary: customers, value and share of the firm's value of each tier.
-- Grain: firm_key, tier_level. The function takes any as_of, the view each firm's latest.

create or replace function mart.clv_tier_summary_from_facts(firm text, as_of date)
returns table (
    tier_code text,
    tier_name text,
    tier_level smallint,
    lowest_percentile double precision,
    tier_benefit text,
    customer_count bigint,
    pct_of_customers numeric,
    total_historical_value numeric,
    total_predicted_1_year numeric,
    total_predicted_value numeric,
    avg_historical_clv numeric,
    avg_predicted_clv numeric,
    avg_tenure_months numeric,
    pct_of_total_value numeric,
    pct_of_predicted_value numeric
)
language sql
stable
as $$
select
    dim_customer_tier.tier_code,
    dim_customer_tier.tier_name,
    dim_customer_tier.tier_level,
    case
        when dim_customer_tier.tier_level = 1 then 0
        else
            coalesce(
                cast(dim_firm.tier_bounds ->> (dim_customer_tier.tier_level - 2) as double precision),
                dim_customer_tier.lowest_percentile
            )
    end as lowest_percentile,
    dim_firm.tier_benefits ->> dim_customer_tier.tier_code as tier_benefit,
    count(*) as customer_count,
    round(100.0 * count(*) / sum(count(*)) over (), 1) as pct_of_customers,
    sum(fact_customer_ltv.historical_clv) as total_historical_value,
    sum(fact_customer_ltv.predicted_clv_1_year) as total_predicted_1_year,
    sum(fact_customer_ltv.predicted_clv_lifetime) as total_predicted_value,
    round(avg(fact_customer_ltv.historical_clv), 2) as avg_historical_clv,
    round(avg(fact_customer_ltv.predicted_clv_lifetime), 2) as avg_predicted_clv,
    round(avg(fact_customer_ltv.tenure_months), 1) as avg_tenure_months,
    round(
        100 * sum(fact_customer_ltv.historical_clv)
        / nullif(sum(sum(fact_customer_ltv.historical_clv)) over (), 0),
        1
    ) as pct_of_total_value,
    round(
        100 * sum(fact_customer_ltv.predicted_clv_lifetime)
        / nullif(sum(sum(fact_customer_ltv.predicted_clv_lifetime)) over (), 0),
        1
    ) as pct_of_predicted_value
from analytics.dim_firm
inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
inner join analytics.dim_customer_tier on fact_customer_ltv.tier_sk = dim_customer_tier.tier_sk
where
    dim_firm.firm_sk = (
        select named.firm_sk
        from analytics.dim_firm as named
        where named.firm_key = clv_tier_summary_from_facts.firm
    )
    and fact_customer_ltv.as_of = clv_tier_summary_from_facts.as_of
group by
    dim_customer_tier.tier_code,
    dim_customer_tier.tier_name,
    dim_customer_tier.tier_level,
    dim_customer_tier.lowest_percentile,
    dim_firm.tier_bounds,
    dim_firm.tier_benefits
$$;

create or replace function mart.clv_tier_summary(firm text, as_of date)
returns table (
    tier_code text,
    tier_name text,
    tier_level smallint,
    lowest_percentile double precision,
    tier_benefit text,
    customer_count bigint,
    pct_of_customers numeric,
    total_historical_value numeric,
    total_predicted_1_year numeric,
    total_predicted_value numeric,
    avg_historical_clv numeric,
    avg_predicted_clv numeric,
    avg_tenure_months numeric,
    pct_of_total_value numeric,
    pct_of_predicted_value numeric
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.tier_code,
        kept.tier_name,
        kept.tier_level,
        -- The firm's settings of today, as in the result from the facts.
        case
            when kept.tier_level = 1 then 0
            else
                coalesce(
                    cast(dim_firm.tier_bounds ->> (kept.tier_level - 2) as double precision),
                    dim_customer_tier.lowest_percentile
                )
        end as lowest_percentile,
        dim_firm.tier_benefits ->> kept.tier_code as tier_benefit,
        kept.customer_count,
        kept.pct_of_customers,
        kept.total_historical_value,
        kept.total_predicted_1_year,
        kept.total_predicted_value,
        kept.avg_historical_clv,
        kept.avg_predicted_clv,
        kept.avg_tenure_months,
        kept.pct_of_total_value,
        kept.pct_of_predicted_value
    from analytics.dim_firm
    inner join analytics.summary_clv_tier_summary as kept on dim_firm.firm_sk = kept.firm_sk
    inner join analytics.dim_customer_tier on kept.tier_code = dim_customer_tier.tier_code
    where
        dim_firm.firm_key = clv_tier_summary.firm
        and kept.as_of = clv_tier_summary.as_of;
    if
        not found
        and not analytics.has_summary('clv_tier_summary', clv_tier_summary.firm, clv_tier_summary.as_of)
    then
        return query
        select made.*
        from
            mart.clv_tier_summary_from_facts(
                clv_tier_summary.firm, clv_tier_summary.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_clv_tier_summary
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    tiers.*
from mart.vw_latest_snapshot
cross join lateral mart.clv_tier_summary(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as tiers
where vw_latest_snapshot.fact_name = 'fact_customer_ltv';

comment on function mart.clv_tier_summary_from_facts is
'Result of clv_tier_summary computed from the facts, not read from the summary.';
comment on function mart.clv_tier_summary is 'vw_clv_tier_summary of one firm at any as_of.';
comment on view mart.vw_clv_tier_summary is
'One row per firm and value tier that has customers, at the firm''s latest snapshot. Amounts are margin.';
comment on column mart.vw_clv_tier_summary.tier_name is 'Name of the tier.';
comment on column mart.vw_clv_tier_summary.lowest_percentile is
'Lowest value_percentile of the tier by the firm''s setting ltv.tier_bounds as of today.';
comment on column mart.vw_clv_tier_summary.tier_benefit is
'What the firm gives the tier''s customers, by its setting ltv.tier_benefits; null: nothing is set.';
comment on column mart.vw_clv_tier_summary.customer_count is 'Customers in the tier.';
comment on column mart.vw_clv_tier_summary.pct_of_customers is 'Share of the firm''s customers, in percent.';
comment on column mart.vw_clv_tier_summary.total_historical_value is 'Sum of historical_clv.';
comment on column mart.vw_clv_tier_summary.total_predicted_1_year is 'Sum of predicted_clv_1_year.';
comment on column mart.vw_clv_tier_summary.total_predicted_value is 'Sum of predicted_clv_lifetime.';
comment on column mart.vw_clv_tier_summary.avg_historical_clv is 'Mean historical_clv.';
comment on column mart.vw_clv_tier_summary.avg_predicted_clv is 'Mean predicted_clv_lifetime.';
comment on column mart.vw_clv_tier_summary.avg_tenure_months is 'Mean tenure_months.';
comment on column mart.vw_clv_tier_summary.pct_of_total_value is
'Share of the firm''s historical_clv, in percent.';
comment on column mart.vw_clv_tier_summary.pct_of_predicted_value is
'Share of the firm''s predicted_clv_lifetime, in percent.';

create or replace view mart.vw_clv_tier_summary_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.tier_code,
    kept.tier_name,
    kept.tier_level,
    kept.lowest_percentile,
    kept.tier_benefit,
    kept.customer_count,
    kept.pct_of_customers,
    kept.total_historical_value,
    kept.total_predicted_1_year,
    kept.total_predicted_value,
    kept.avg_historical_clv,
    kept.avg_predicted_clv,
    kept.avg_tenure_months,
    kept.pct_of_total_value,
    kept.pct_of_predicted_value
from analytics.summary_clv_tier_summary as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_clv_tier_summary_history is
'vw_clv_tier_summary of every stored snapshot: one row per as_of and row of that view.';
comment on column mart.vw_clv_tier_summary_history.lowest_percentile is
'Lowest value_percentile of the tier by the firm''s setting when the summary was stored.';
comment on column mart.vw_clv_tier_summary_history.tier_benefit is
'What the firm gave the tier''s customers when the summary was stored.';

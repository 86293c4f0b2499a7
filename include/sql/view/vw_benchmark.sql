-- vw_benchmark: a firm's ratios beside the quartiles of the installation's firms that share theirs.
-- Grain: firm_key, metric. The function takes any as_of and shows the latest published month that ended
-- before it, the view each firm's latest. No row for a firm that does not share: set is_benchmarked.

create or replace function mart.benchmark(firm text, as_of date)
returns table (
    month_start date,
    metric text,
    unit text,
    own_value numeric,
    lower_quartile numeric,
    median numeric,
    upper_quartile numeric,
    comparison text
)
language sql
stable
as $$
with known as (

    select
        fact_benchmark.month_start,
        fact_benchmark.metric,
        fact_benchmark.unit,
        fact_benchmark.own_value,
        fact_benchmark.lower_quartile,
        fact_benchmark.median,
        fact_benchmark.upper_quartile,
        row_number() over (
            partition by fact_benchmark.metric order by fact_benchmark.month_start desc
        ) as place
    from analytics.dim_firm
    inner join analytics.fact_benchmark on dim_firm.firm_sk = fact_benchmark.firm_sk
    where
        dim_firm.firm_key = benchmark.firm
        and (fact_benchmark.month_start + interval '1 month')::date <= benchmark.as_of

)

select
    known.month_start,
    known.metric,
    known.unit,
    known.own_value,
    known.lower_quartile,
    known.median,
    known.upper_quartile,
    case
        when known.own_value < known.lower_quartile then 'below most'
        when known.own_value > known.upper_quartile then 'above most'
        else 'as most'
    end as comparison
from known
where known.place = 1
order by known.metric
$$;

create or replace view mart.vw_benchmark
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    shared.*
from mart.vw_latest_snapshot
cross join lateral mart.benchmark(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as shared
where vw_latest_snapshot.fact_name = 'fact_firm_metric';

comment on function mart.benchmark is 'vw_benchmark of one firm at any as_of.';
comment on view mart.vw_benchmark is
'One row per metric of a firm that shares its ratios: its value, and quartiles of at least 10 other firms.';
comment on column mart.vw_benchmark.month_start is 'First day of the month that is compared.';
comment on column mart.vw_benchmark.metric is 'Metric of the glossary (docs/metrics.md): a ratio or days.';
comment on column mart.vw_benchmark.unit is 'percent or days.';
comment on column mart.vw_benchmark.own_value is 'The firm''s own value.';
comment on column mart.vw_benchmark.lower_quartile is 'A quarter of the firms is below it; rounded.';
comment on column mart.vw_benchmark.median is 'Half of the firms is below it; rounded.';
comment on column mart.vw_benchmark.upper_quartile is 'Three quarters of the firms are below it; rounded.';
comment on column mart.vw_benchmark.comparison is
'below most: under the lower quartile; above most: over the upper quartile; as most: between them. It says '
'nothing about which is better.';

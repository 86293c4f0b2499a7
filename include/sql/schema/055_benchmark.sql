-- Benchmarks among the firms of an installation that share their ratios: opt-in, fixed per month.

alter table control.firms add column is_benchmarked boolean not null default false;

comment on column control.firms.is_benchmarked is
'Whether the firm shares its ratios and days for benchmarks, and sees those of the firms that do.';

create table analytics.fact_benchmark (
    firm_sk integer not null references analytics.dim_firm,
    month_start date not null check (extract(day from month_start) = 1),
    metric text not null,
    unit text not null check (unit in ('percent', 'days')),
    own_value numeric(18, 4) not null check (own_value <> 'NaN'),
    lower_quartile numeric(18, 4) not null,
    median numeric(18, 4) not null check (median >= lower_quartile),
    upper_quartile numeric(18, 4) not null check (upper_quartile >= median),
    primary key (firm_sk, month_start, metric)
);

comment on table analytics.fact_benchmark is
'One row per firm that shares, month and metric: its value beside the rounded quartiles of all who share.';
comment on column analytics.fact_benchmark.month_start is
'First day of the month that the values describe; the values are those of its last snapshot.';
comment on column analytics.fact_benchmark.metric is 'Metric of the glossary: a ratio or a number of days.';
comment on column analytics.fact_benchmark.unit is 'percent or days.';
comment on column analytics.fact_benchmark.own_value is 'The firm''s own value.';
comment on column analytics.fact_benchmark.lower_quartile is
'A quarter of the firms that share is below it; rounded.';
comment on column analytics.fact_benchmark.median is 'Half of the firms that share is below it; rounded.';
comment on column analytics.fact_benchmark.upper_quartile is
'Three quarters of the firms that share are below it; rounded.';

create table control.benchmark_decisions (
    month_start date not null check (extract(day from month_start) = 1),
    metric text not null,
    is_published boolean not null,
    reason text not null,
    firm_keys text[] not null,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (month_start, metric)
);

comment on table control.benchmark_decisions is
'One row per month and metric: whether its quartiles were published, over which firms, and why not.';
comment on column control.benchmark_decisions.month_start is 'First day of the month.';
comment on column control.benchmark_decisions.metric is 'Metric of the glossary.';
comment on column control.benchmark_decisions.is_published is 'Whether fact_benchmark has the quartiles.';
comment on column control.benchmark_decisions.reason is 'Why they were not published; empty if they were.';
comment on column control.benchmark_decisions.firm_keys is
'Firms that shared a value; for the platform alone.';
comment on column control.benchmark_decisions.decided_at is 'When; a month is decided once, and never again.';

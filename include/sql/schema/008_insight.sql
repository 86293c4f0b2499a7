-- The firm's metrics and the sentences written about them. Column comments come from the datasets.

create table analytics.fact_firm_metric (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    date_sk integer not null references analytics.dim_date,
    metric text not null,
    member text not null,
    unit text not null check (unit in ('count', 'days', 'money', 'percent')),
    numerator numeric(18, 4) check (numerator <> 'NaN'),
    denominator numeric(18, 4) check (denominator <> 'NaN'),
    metric_value numeric(18, 4) check (metric_value <> 'NaN'),
    definition text not null,
    manifest_token bigint not null,
    primary key (firm_sk, as_of, metric, member)
);

comment on table analytics.fact_firm_metric is
'One row per firm, snapshot, metric and member of it: a value with its parts and its definition.';
comment on column analytics.fact_firm_metric.date_sk is 'Row of dim_date for as_of.';

create table analytics.fact_firm_insight (
    firm_sk integer not null references analytics.dim_firm,
    as_of date not null,
    date_sk integer not null references analytics.dim_date,
    language_code text not null,
    place integer not null check (place >= 1),
    is_firm_language boolean not null,
    kind text not null check (kind in ('headline', 'fact', 'recommendation')),
    rule_code text not null,
    sentence text not null,
    cited_metrics jsonb not null,
    manifest_token bigint not null,
    primary key (firm_sk, as_of, language_code, place)
);

comment on table analytics.fact_firm_insight is
'One row per firm, snapshot, language and sentence of its insight, with the metrics the sentence cites.';
comment on column analytics.fact_firm_insight.date_sk is 'Row of dim_date for as_of.';
comment on column analytics.fact_firm_insight.cited_metrics is
'List of metric, member and the value as shown: rows of fact_firm_metric of the same snapshot.';

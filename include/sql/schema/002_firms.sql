-- control.firms: one row per firm, the truth about its configuration.
-- Whatever a person may forget may be null here: validation refuses the row and says which field.

create table control.firms (
    firm_key text primary key check (firm_key ~ '^[a-z][a-z0-9_]{0,62}$'),
    name text,
    source jsonb,
    timezone text,
    currency text,
    working_day_period integer,
    schedule_hour integer,
    churn_threshold_days integer,
    min_spend numeric(18, 4),
    min_orders integer,
    lookback_days integer,
    modules text[],
    engine text,
    language text,
    owner text,
    alerts jsonb,
    rfm jsonb,
    churn jsonb,
    ltv jsonb,
    quality jsonb,
    retrain_months integer,
    is_paused boolean not null default false,
    removed_at timestamptz,
    updated_at timestamptz not null default clock_timestamp()
);

comment on table control.firms is 'One row per firm: its source, schedule, thresholds and modules.';
comment on column control.firms.firm_key is 'Short name used in paths, DAG ids and commands.';
comment on column control.firms.name is 'Name as people write it.';
comment on column control.firms.source is 'kind, conn_id or uri, schema, layout, mapping; never a secret.';
comment on column control.firms.timezone is
'Time zone of the tz database in which the firm''s days are days.';
comment on column control.firms.currency is 'ISO 4217 code of every amount of the firm.';
comment on column control.firms.working_day_period is 'Days between runs: 0 inactive, 1 daily, 7 weekly.';
comment on column control.firms.schedule_hour is 'Hour at which runs start, in the firm''s time zone.';
comment on column control.firms.churn_threshold_days is
'Days without an order after which a customer is lost.';
comment on column control.firms.min_spend is 'Customers below this lifetime spend are left out of models.';
comment on column control.firms.min_orders is 'Customers below this many orders are left out of models.';
comment on column control.firms.lookback_days is
'How long corrections may come in: such months are read again.';
comment on column control.firms.modules is 'Modules that are switched on.';
comment on column control.firms.engine is 'Engine that computes: duckdb or spark.';
comment on column control.firms.language is 'Language of written insights.';
comment on column control.firms.owner is 'Who is shown as the owner of the DAG.';
comment on column control.firms.alerts is 'Airflow connection ids that a final failure is sent to.';
comment on column control.firms.rfm is 'RFM settings: window_days, quantiles, min_customers, segments, ...';
comment on column control.firms.churn is 'Churn settings: bounds of categories, least data, sample, ...';
comment on column control.firms.ltv is 'Lifetime value settings: discount rate, margin share, least data.';
comment on column control.firms.quality is
'Bounds of the gate''s expectations, by dataset and expectation, that differ from the usual.';
comment on column control.firms.retrain_months is 'Months between anchors, on which models are trained.';
comment on column control.firms.is_paused is 'Paused: its DAG stays and runs nothing.';
comment on column control.firms.removed_at is 'When it was removed, UTC; its facts stay until erased.';
comment on column control.firms.updated_at is 'When the row was last saved, UTC.';

create table control.audit (
    audit_id bigint generated always as identity primary key,
    happened_at timestamptz not null default clock_timestamp(),
    actor text not null,
    change_made text not null,
    firm_key text,
    changed_to jsonb
);

create index audit_firm_key on control.audit (firm_key, happened_at);

comment on table control.audit is 'One row per change a person made.';
comment on column control.audit.audit_id is 'Order of the changes.';
comment on column control.audit.happened_at is 'When, UTC.';
comment on column control.audit.actor is 'Who.';
comment on column control.audit.change_made is 'What: save, pause, resume or remove.';
comment on column control.audit.firm_key is 'Which firm.';
comment on column control.audit.changed_to is 'What it was changed to.';

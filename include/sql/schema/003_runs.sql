-- What runs leave behind: tokens, loads, outcomes, gate results, rejections, module status.

create table control.attempts (
    token bigint generated always as identity primary key,
    firm_key text not null,
    step text not null,
    slice text not null,
    drawn_at timestamptz not null default clock_timestamp()
);

comment on table control.attempts is 'One row per attempt of a step: the fencing tokens.';
comment on column control.attempts.token is 'The attempt''s fencing token; a later attempt has a higher one.';
comment on column control.attempts.firm_key is 'Firm the attempt is for.';
comment on column control.attempts.step is 'Step that drew the token.';
comment on column control.attempts.slice is 'Slice it is about to write.';
comment on column control.attempts.drawn_at is 'When the attempt began, UTC.';

create table control.loads (
    firm_key text not null,
    table_name text not null,
    slice text not null,
    dataset text not null,
    as_of date not null,
    token bigint not null,
    manifest_token bigint not null,
    manifest_sha256 text not null,
    loader_sha256 text not null,
    row_count bigint not null,
    loaded_at timestamptz not null default clock_timestamp(),
    primary key (firm_key, table_name, slice)
);

comment on table control.loads is 'One row per table and slice of a firm: what is loaded now, and by whom.';
comment on column control.loads.firm_key is 'Firm.';
comment on column control.loads.table_name is 'Table that was loaded.';
comment on column control.loads.slice is 'Month or snapshot that was loaded.';
comment on column control.loads.dataset is 'Dataset it came from.';
comment on column control.loads.as_of is 'as_of of the run that loaded it.';
comment on column control.loads.token is 'Fencing token of the load; an older one is refused.';
comment on column control.loads.manifest_token is 'Fencing token of the handoff that was loaded.';
comment on column control.loads.manifest_sha256 is 'Hash of the handoff that was loaded.';
comment on column control.loads.loader_sha256 is
'Hash of the load''s own SQL and of the dataset''s contract.';
comment on column control.loads.row_count is 'Rows of the slice.';
comment on column control.loads.loaded_at is 'When it was loaded, UTC.';

create table control.runs (
    run_id bigint generated always as identity primary key,
    firm_key text not null,
    as_of date not null,
    started_at timestamptz not null default clock_timestamp(),
    firm_row jsonb not null default '{}',
    code_version text
);

create index runs_firm_key on control.runs (firm_key, as_of);

comment on table control.runs is
'One row per firm, as_of and what its steps ran under: other settings or other code begin a new one.';
comment on column control.runs.run_id is 'Order in which runs started.';
comment on column control.runs.firm_key is 'Firm.';
comment on column control.runs.as_of is 'Snapshot date of the run, exclusive.';
comment on column control.runs.started_at is 'When it started, UTC.';
comment on column control.runs.firm_row is
'The firm''s row as the run read it: every threshold that was in force.';
comment on column control.runs.code_version is 'Version of Firmament that ran.';

create table control.step_runs (
    step_run_id bigint generated always as identity primary key,
    firm_key text not null,
    as_of date not null,
    step text not null,
    token bigint,
    status text not null,
    row_count bigint,
    seconds double precision,
    peak_mb double precision,
    message text,
    finished_at timestamptz not null default clock_timestamp()
);

create index step_runs_firm_key on control.step_runs (firm_key, as_of, step);

comment on table control.step_runs is 'One row per ended attempt of a step.';
comment on column control.step_runs.step_run_id is 'Order in which attempts ended.';
comment on column control.step_runs.firm_key is 'Firm.';
comment on column control.step_runs.as_of is 'Snapshot date of the run, exclusive.';
comment on column control.step_runs.step is 'Step.';
comment on column control.step_runs.token is 'The attempt''s fencing token, where it drew one.';
comment on column control.step_runs.status is 'done or failed.';
comment on column control.step_runs.row_count is 'Rows it wrote or loaded.';
comment on column control.step_runs.seconds is 'Seconds it took.';
comment on column control.step_runs.peak_mb is 'Most memory it held, in MB.';
comment on column control.step_runs.message is 'What it said; of a failure the reason.';
comment on column control.step_runs.finished_at is 'When it ended, UTC.';

create table control.quality (
    quality_id bigint generated always as identity primary key,
    firm_key text not null,
    dataset text not null,
    slice text not null,
    manifest_sha256 text,
    as_of date not null,
    token bigint not null,
    expectation text not null,
    column_name text,
    is_critical boolean not null,
    passed boolean not null,
    observed text,
    expected text,
    samples jsonb,
    checked_at timestamptz not null default clock_timestamp()
);

create index quality_firm_key on control.quality (firm_key, dataset, as_of);

comment on table control.quality is 'One row per expectation checked on a slice by the gate.';
comment on column control.quality.quality_id is 'Order in which expectations were recorded.';
comment on column control.quality.firm_key is 'Firm.';
comment on column control.quality.dataset is 'Dataset that was checked.';
comment on column control.quality.slice is
'Month or snapshot that was checked; empty for the dataset as a whole.';
comment on column control.quality.manifest_sha256 is 'Hash of the handoff that was checked.';
comment on column control.quality.as_of is 'as_of of the run that checked it.';
comment on column control.quality.token is 'Fencing token of the gate''s attempt.';
comment on column control.quality.expectation is 'What was expected.';
comment on column control.quality.column_name is 'Column it is about; null for the table.';
comment on column control.quality.is_critical is 'Whether a failure stops the firm.';
comment on column control.quality.passed is 'Whether the expectation was met.';
comment on column control.quality.observed is 'What was found.';
comment on column control.quality.expected is 'What was to be found.';
comment on column control.quality.samples is 'Values that failed.';
comment on column control.quality.checked_at is 'When, UTC.';

create table control.rejections (
    firm_key text not null,
    dataset text not null,
    slice text not null,
    reason text not null,
    as_of date not null,
    token bigint not null,
    row_count bigint not null check (row_count >= 0),
    net_amount numeric(18, 4),
    samples jsonb,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (firm_key, dataset, slice, reason)
);

comment on table control.rejections is 'One row per slice and reason: source rows that could not be used.';
comment on column control.rejections.firm_key is 'Firm.';
comment on column control.rejections.dataset is 'Dataset.';
comment on column control.rejections.slice is 'Month or snapshot.';
comment on column control.rejections.reason is 'Why the rows were not used.';
comment on column control.rejections.as_of is 'as_of of the run that read them.';
comment on column control.rejections.token is 'Fencing token of the attempt that read them.';
comment on column control.rejections.row_count is 'How many rows.';
comment on column control.rejections.net_amount is 'Their amount, where they have one.';
comment on column control.rejections.samples is 'A few of the rows as the source had them.';
comment on column control.rejections.recorded_at is 'When, UTC.';

create table control.module_status (
    firm_key text not null,
    as_of date not null,
    module text not null,
    is_sufficient boolean not null,
    reason text not null,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (firm_key, as_of, module)
);

comment on table control.module_status is 'One row per module and snapshot: whether there was data enough.';
comment on column control.module_status.firm_key is 'Firm.';
comment on column control.module_status.as_of is 'Snapshot date, exclusive.';
comment on column control.module_status.module is 'Module.';
comment on column control.module_status.is_sufficient is
'Whether the module had data enough to say something.';
comment on column control.module_status.reason is 'Why, and what was done instead.';
comment on column control.module_status.decided_at is 'When, UTC.';

-- What has been applied to this database. Run before every migration, so it may run any number of times.

create schema if not exists control;

revoke all on schema control from public;

create table if not exists control.migrations (
    file_name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
);

comment on schema control is 'Firms, runs, loads, quality and audit: what operates Firmament.';
comment on table control.migrations is 'One row per applied migration, and one for the set of views.';
comment on column control.migrations.file_name is 'File name in sql/schema; ''views'' stands for sql/view.';
comment on column control.migrations.sha256 is 'Of the text that was applied.';
comment on column control.migrations.applied_at is 'When it was applied, UTC.';

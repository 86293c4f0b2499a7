-- control.incidents: one row per cause of failures; control.incident_firms: what it hit;
-- control.incident_messages: the outbox, one row per message and target.

create table control.incidents (
    incident_id bigint generated always as identity primary key,
    place text not null,
    kind text not null,
    resource_name text not null,
    severity text not null,
    error text not null,
    opened_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz,
    closed_by text
);

create unique index incidents_open on control.incidents (place, kind, resource_name) where closed_at is null;

comment on table control.incidents is
'One row per cause of failures. A cause is (place, kind, resource); at most one incident of a cause is open.';
comment on column control.incidents.incident_id is 'Number of the incident, as messages show it.';
comment on column control.incidents.place is
'Part at fault: source, store, warehouse, airflow, machine, firm.';
comment on column control.incidents.kind is 'Kind of the failure: a row of include/incidents/kinds.py.';
comment on column control.incidents.resource_name is 'Connection, store, dataset, firm or function at fault.';
comment on column control.incidents.severity is 'critical, error or warning.';
comment on column control.incidents.error is
'First line of the first error, without secrets and personal data.';
comment on column control.incidents.opened_at is 'When the first failure was recorded, UTC.';
comment on column control.incidents.changed_at is 'When the latest failure was recorded, UTC.';
comment on column control.incidents.closed_at is 'When it was closed, UTC; null while it is open.';
comment on column control.incidents.closed_by is 'recheck, or the user who closed it.';

create table control.incident_firms (
    entry_id bigint generated always as identity primary key,
    incident_id bigint not null references control.incidents (incident_id) on delete cascade,
    firm_key text not null,
    as_of date,
    task_id text not null,
    run_id text,
    error text not null,
    log_url text not null,
    targets text[] not null,
    is_quiet boolean not null,
    failed_at timestamptz not null default clock_timestamp(),
    gone_at timestamptz,
    is_snapshot_missing boolean not null default false,
    unique nulls not distinct (incident_id, firm_key, as_of, task_id)
);

create index incident_firms_firm_key on control.incident_firms (firm_key, as_of);

comment on table control.incident_firms is 'One row per incident, firm, snapshot and task that it hit.';
comment on column control.incident_firms.entry_id is 'Order in which they were hit.';
comment on column control.incident_firms.incident_id is 'Incident.';
comment on column control.incident_firms.firm_key is 'Firm; empty for the installation itself.';
comment on column control.incident_firms.as_of is
'Snapshot date of the run, exclusive; null where there is none.';
comment on column control.incident_firms.task_id is 'Task of the DAG that failed; empty where there is none.';
comment on column control.incident_firms.run_id is 'Airflow''s run; null where there is none.';
comment on column control.incident_firms.error is
'First line of the error, without secrets and personal data.';
comment on column control.incident_firms.log_url is 'Where the task''s log is.';
comment on column control.incident_firms.targets is 'Targets that messages about this firm go to.';
comment on column control.incident_firms.is_quiet is 'Whether no message is sent: a backfill.';
comment on column control.incident_firms.failed_at is 'When it failed last, UTC.';
comment on column control.incident_firms.gone_at is
'When a check found the failure gone, UTC; null: it is not.';
comment on column control.incident_firms.is_snapshot_missing is
'Whether the failure is gone, because a later snapshot succeeded, but this snapshot is still missing.';

create table control.incident_messages (
    message_id bigint generated always as identity primary key,
    incident_id bigint not null references control.incidents (incident_id) on delete cascade,
    message_kind text not null,
    target_name text not null,
    firm_count integer not null,
    body jsonb,
    created_at timestamptz not null default clock_timestamp(),
    due_at timestamptz not null,
    tries integer not null default 0,
    sent_at timestamptz
);

create unique index incident_messages_once
on control.incident_messages (incident_id, target_name, message_kind)
where message_kind <> 'grown';
create unique index incident_messages_growing
on control.incident_messages (incident_id, target_name)
where message_kind = 'grown' and sent_at is null;
create index incident_messages_unsent on control.incident_messages (due_at) where sent_at is null;

comment on table control.incident_messages is
'Outbox: a message is enqueued before it is sent, and sent again until its target accepts it.';
comment on column control.incident_messages.message_id is 'Order in which messages were enqueued.';
comment on column control.incident_messages.incident_id is 'Incident.';
comment on column control.incident_messages.message_kind is 'opened, grown or closed.';
comment on column control.incident_messages.target_name is 'Kind of target and its Airflow connection.';
comment on column control.incident_messages.firm_count is 'Firms that the message is about.';
comment on column control.incident_messages.body is 'The message as first sent; a repetition is identical.';
comment on column control.incident_messages.created_at is 'When it was enqueued, UTC.';
comment on column control.incident_messages.due_at is
'When it is due, UTC; while a process sends it, when that process is considered dead.';
comment on column control.incident_messages.tries is 'How often a process has tried to send it.';
comment on column control.incident_messages.sent_at is 'When the target accepted it, UTC; null: not yet.';

create table control.heartbeats (
    name text primary key,
    beat_at timestamptz not null default clock_timestamp(),
    detail jsonb not null default '{}'
);

comment on table control.heartbeats is 'When each part of the upkeep last did its work.';
comment on column control.heartbeats.name is 'watcher, or a task of the DAG firmament_upkeep.';
comment on column control.heartbeats.beat_at is 'When it last did its work, UTC.';
comment on column control.heartbeats.detail is 'What it found.';

comment on table control.alerts is 'Alerts of earlier versions; since version 0.9 see control.incidents.';

-- control.alerts: the outbox. A message is written here before it is sent, so none is lost with its sender.

create table control.alerts (
    cause text primary key,
    firm_key text not null,
    step text not null,
    as_of date,
    error text not null,
    log_url text not null,
    rerun text not null,
    created_at timestamptz not null default clock_timestamp(),
    tried_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz
);

create index alerts_firm_key on control.alerts (firm_key, as_of);
create index alerts_unsent on control.alerts (created_at) where sent_at is null;

comment on table control.alerts is 'One row per cause of a failure that somebody was to be told of.';
comment on column control.alerts.cause is
'Id of the message: the same for all steps of a run that fail of one error.';
comment on column control.alerts.firm_key is 'Firm, or upkeep for the installation itself.';
comment on column control.alerts.step is 'Step that failed first.';
comment on column control.alerts.as_of is 'Snapshot date of the run, exclusive; null where there is none.';
comment on column control.alerts.error is 'First line of the error, without secrets and personal data.';
comment on column control.alerts.log_url is 'Where the task''s log is.';
comment on column control.alerts.rerun is 'Command that runs it again.';
comment on column control.alerts.created_at is 'When it failed, UTC.';
comment on column control.alerts.tried_at is 'When somebody last undertook to send it, UTC.';
comment on column control.alerts.sent_at is 'When a target took the message, UTC; null: not yet.';

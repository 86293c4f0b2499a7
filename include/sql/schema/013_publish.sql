-- Publishing: where a firm's results go, and the outbox of what changed for each customer.

alter table control.firms add column publish jsonb;

comment on column control.firms.publish is
'Where results are written back: conn_id, schema, tables, webhook; never a secret.';

create table control.outbox (
    event_number bigint generated always as identity primary key,
    event_id uuid not null unique default gen_random_uuid(),
    firm_sk integer not null references analytics.dim_firm,
    customer_sk bigint not null references analytics.dim_customer on delete cascade,
    as_of date not null,
    changes jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    attempts integer not null default 0 check (attempts >= 0),
    due_at timestamptz not null default clock_timestamp(),
    last_error text,
    delivered_at timestamptz
);

create index outbox_undelivered on control.outbox (firm_sk, event_number) where delivered_at is null;
create index outbox_customer_sk on control.outbox (customer_sk);

comment on table control.outbox is
'One row per customer and snapshot whose scores or segments changed, kept until the firm''s webhook took it.';
comment on column control.outbox.event_number is 'Order in which changes are sent.';
comment on column control.outbox.event_id is
'Id that every try to send it bears: a receiver that has seen it drops it.';
comment on column control.outbox.as_of is 'Snapshot that brought the change.';
comment on column control.outbox.changes is 'Each field that changed, with its value before and after.';
comment on column control.outbox.created_at is 'When it was written down, UTC.';
comment on column control.outbox.attempts is 'How often it was sent.';
comment on column control.outbox.due_at is 'When it may next be sent, UTC.';
comment on column control.outbox.last_error is 'Why the last try failed: a status code or an error''s name.';
comment on column control.outbox.delivered_at is 'When the webhook acknowledged it, UTC; null: not yet.';

create table control.outbox_state (
    firm_sk integer not null references analytics.dim_firm,
    customer_sk bigint not null references analytics.dim_customer on delete cascade,
    rfm_score text,
    rfm_segment text,
    clv_segment text,
    churn_risk_category text,
    primary key (firm_sk, customer_sk)
);

comment on table control.outbox_state is
'One row per customer of a firm with a webhook: the values that its changes were last compared with.';
comment on column control.outbox_state.rfm_segment is 'Name of the RFM segment.';

create table control.outbox_snapshots (
    firm_sk integer primary key references analytics.dim_firm,
    as_of date not null
);

comment on table control.outbox_snapshots is
'One row per firm with a webhook: the snapshot that control.outbox_state holds.';

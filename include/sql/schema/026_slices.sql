-- control.slices: the ledger of slices. It says which months of a firm's events are extracted, from which
-- manifest and with how many rows, so that a run need not ask the store for each month. Manifests remain
-- the truth: a row that does not match the files in the store is ignored, and written again.

create table control.slices (
    firm_key text not null,
    dataset text not null,
    slice text not null,
    as_of date not null,
    token bigint not null,
    status text not null check (status in ('writing', 'current', 'unknown')),
    row_count bigint check (row_count >= 0),
    source_row_count bigint check (source_row_count >= 0),
    manifest_sha256 text,
    fingerprint text,
    compared_as_of date,
    compared_row_count bigint check (compared_row_count >= 0),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (firm_key, dataset, slice)
);

comment on table control.slices is
'One row per month of a firm''s events: its manifest, and how many rows its source gave and has by now.';
comment on column control.slices.firm_key is 'Firm.';
comment on column control.slices.dataset is 'Dataset.';
comment on column control.slices.slice is 'Month, as 2026-11.';
comment on column control.slices.as_of is 'as_of that the month was extracted for.';
comment on column control.slices.token is
'Fencing token of the attempt that extracted it last, and of its manifest where status is current.';
comment on column control.slices.status is
'current: token and manifest_sha256 are those of the manifest. writing: an attempt began to replace the '
'slice. unknown: recorded by an earlier release, without the manifest.';
comment on column control.slices.row_count is 'Rows of the slice; null until its manifest is known.';
comment on column control.slices.source_row_count is
'Rows the source gave, those that were rejected among them; null where they were not counted.';
comment on column control.slices.manifest_sha256 is 'Hash in the slice''s manifest.';
comment on column control.slices.fingerprint is
'Fingerprint of the contract that the slice was written under.';
comment on column control.slices.compared_as_of is
'as_of of the run that last counted the month in the source again; null: not since it was extracted.';
comment on column control.slices.compared_row_count is
'Rows the source had then; another number than source_row_count: read the month again, with --full.';
comment on column control.slices.recorded_at is 'When the row was last changed, UTC.';

insert into control.slices (
    firm_key,
    dataset,
    slice,
    as_of,
    token,
    status,
    source_row_count,
    compared_as_of,
    compared_row_count
)
select
    readings.firm_key,
    readings.dataset,
    split_part(readings.slice, '=', -1) as slice,
    readings.as_of,
    readings.token,
    'unknown' as status,
    readings.row_count,
    readings.compared_as_of,
    readings.source_row_count
from control.readings
on conflict do nothing;

comment on table control.readings is
'deprecated: use control.slices. Row counts that earlier releases recorded; nothing reads or writes it.';

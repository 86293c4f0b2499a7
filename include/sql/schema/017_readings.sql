-- control.readings: what each month was when it was read, so that rows which come too late are noticed.

create table control.readings (
    firm_key text not null,
    dataset text not null,
    slice text not null,
    as_of date not null,
    token bigint not null,
    row_count bigint not null check (row_count >= 0),
    compared_as_of date,
    source_row_count bigint check (source_row_count >= 0),
    primary key (firm_key, dataset, slice)
);

comment on table control.readings is
'One row per month of a firm''s events: how many rows its source gave, and how many it has by now.';
comment on column control.readings.firm_key is 'Firm.';
comment on column control.readings.dataset is 'Dataset.';
comment on column control.readings.slice is 'Month that was read.';
comment on column control.readings.as_of is 'as_of it was read for.';
comment on column control.readings.token is 'Fencing token of the attempt that read it.';
comment on column control.readings.row_count is
'Rows the source gave, those that could not be used among them.';
comment on column control.readings.compared_as_of is
'as_of of the run that last counted the month in the source again; null: not since it was read.';
comment on column control.readings.source_row_count is
'Rows the source had then; another number than row_count: read the month again, with --full.';

-- control.slices: the money of the rows that the source gave, so that the gate can compare rejected money
-- with it. Null for slices that earlier releases extracted, and for datasets without a net amount.

alter table control.slices
add column source_amount numeric(38, 4) check (source_amount >= 0);

comment on column control.slices.source_amount is
'Sum of the net amounts of the rows that the source gave, each without its sign; null where not summed.';

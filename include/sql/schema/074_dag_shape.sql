-- The shape of a firm's DAG: a task per stage, or three tasks.

alter table control.firms add column dag_shape text check (dag_shape in ('staged', 'compact'));

comment on column control.firms.dag_shape is
'staged: one task per stage. compact: three tasks (extract, compute, load) with the same steps.';

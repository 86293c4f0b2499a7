-- control.step_runs: what an attempt of a step ran in, what it read, and what it left.

alter table control.step_runs
add column stage text,
add column airflow_run_id text,
add column attempt integer,
add column input_manifests text[],
add column output_manifest text,
add column settings_sha256 text,
add column code_version text,
add column cpu_seconds double precision,
add column started_at timestamptz;

comment on column control.step_runs.stage is 'Stage of the pipeline: one task of the firm''s DAG.';
comment on column control.step_runs.airflow_run_id is
'Run that the attempt belongs to: of Airflow, or of the command line; null before version 0.9.';
comment on column control.step_runs.attempt is 'Number of the task''s attempt in that run, from 1.';
comment on column control.step_runs.input_manifests is
'Manifests that the step read, each path#token#sha256; path#none where nothing was there.';
comment on column control.step_runs.output_manifest is
'Manifest that the step wrote, as path#token#sha256; null for a step that writes no dataset.';
comment on column control.step_runs.settings_sha256 is
'Hash of the firm''s row and of the model decisions that the step ran under.';
comment on column control.step_runs.code_version is 'Version of Firmament''s code that ran.';
comment on column control.step_runs.cpu_seconds is 'Processor seconds it took, of all its threads.';
comment on column control.step_runs.started_at is 'When it started, UTC.';
comment on column control.step_runs.status is
'done, failed, or skipped: an earlier attempt of the same run had done the same from the same inputs.';

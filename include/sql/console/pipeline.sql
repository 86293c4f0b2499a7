-- pipeline: what each stage of each snapshot took: seconds, CPU seconds, memory, rows; latest snapshot first.
-- Attempts that failed count too: they cost as much.
-- Grain: as_of, stage. Params: :firm_key; :page_rows (null: all).

select
    step_runs.as_of,
    step_runs.stage,
    count(*) as steps,
    count(*) filter (where step_runs.status not in ('done', 'skipped')) as failed_steps,
    sum(step_runs.seconds) as seconds,
    sum(step_runs.cpu_seconds) as cpu_seconds,
    max(step_runs.peak_mb) as peak_mb,
    sum(step_runs.row_count) as row_count,
    max(step_runs.finished_at) as finished_at
from control.step_runs
where step_runs.firm_key = :firm_key
group by
    step_runs.as_of,
    step_runs.stage
order by
    step_runs.as_of desc,
    max(step_runs.step_run_id) asc
limit :page_rows;

-- runs: the last attempt of each stage in the firm's latest runs.
-- Grain: as_of, airflow_run_id, stage. Params: :firm_key, :page_rows (runs).

with runs as (

    select
        step_runs.as_of,
        step_runs.airflow_run_id,
        max(step_runs.step_run_id) as last_step_run_id
    from control.step_runs
    where step_runs.firm_key = :firm_key
    group by
        step_runs.as_of,
        step_runs.airflow_run_id
    order by max(step_runs.step_run_id) desc
    limit :page_rows

),

attempts as (

    select
        step_runs.as_of,
        step_runs.airflow_run_id,
        step_runs.stage,
        max(step_runs.attempt) as attempt
    from control.step_runs
    inner join runs
        on
            step_runs.as_of = runs.as_of
            and step_runs.airflow_run_id is not distinct from runs.airflow_run_id
    where step_runs.firm_key = :firm_key
    group by
        step_runs.as_of,
        step_runs.airflow_run_id,
        step_runs.stage

)

select
    runs.last_step_run_id,
    step_runs.as_of,
    step_runs.airflow_run_id,
    step_runs.stage,
    max(step_runs.attempt) as attempt,
    min(step_runs.started_at) as started_at,
    max(step_runs.finished_at) as finished_at,
    sum(step_runs.seconds) as seconds,
    count(*) as steps,
    count(*) filter (where step_runs.status in ('done', 'skipped')) as steps_done,
    max(step_runs.message) filter (where step_runs.status not in ('done', 'skipped')) as message
from control.step_runs
inner join attempts
    on
        step_runs.as_of = attempts.as_of
        and step_runs.airflow_run_id is not distinct from attempts.airflow_run_id
        and step_runs.stage is not distinct from attempts.stage
        and step_runs.attempt is not distinct from attempts.attempt
inner join runs
    on
        step_runs.as_of = runs.as_of
        and step_runs.airflow_run_id is not distinct from runs.airflow_run_id
where step_runs.firm_key = :firm_key
group by
    runs.last_step_run_id,
    step_runs.as_of,
    step_runs.airflow_run_id,
    step_runs.stage
order by
    runs.last_step_run_id desc,
    min(step_runs.started_at) asc;

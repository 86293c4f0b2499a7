-- receipt_runs: the runs of Airflow that made a snapshot, latest first.
-- Grain: airflow_run_id. Params: :firm_key, :as_of.

select
    step_runs.airflow_run_id,
    min(step_runs.started_at) as started_at,
    max(step_runs.finished_at) as finished_at,
    count(*) filter (where step_runs.status = 'done') as steps_done
from control.step_runs
where
    step_runs.firm_key = :firm_key
    and step_runs.as_of = :as_of
group by step_runs.airflow_run_id
order by max(step_runs.step_run_id) desc
limit 5;

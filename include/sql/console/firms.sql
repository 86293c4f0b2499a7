-- firms: one row per firm that the user may see: its configuration, latest snapshot, last run and quality.
-- Grain: firm_key. Params: :firm_keys.

with asked as (

    select unnest(cast(:firm_keys as text[])) as firm_key

),

snapshots as (

    select
        vw_latest_snapshot.firm_key,
        max(vw_latest_snapshot.as_of) as as_of
    from mart.vw_latest_snapshot
    where
        vw_latest_snapshot.fact_name in (
            'fact_customer_rfm', 'fact_customer_ltv', 'fact_customer_churn_risk'
        )
    group by vw_latest_snapshot.firm_key

),

loaded as (

    select
        loads.firm_key,
        max(loads.loaded_at) as loaded_at
    from control.loads
    group by loads.firm_key

)

select
    firms.firm_key,
    firms.timezone,
    firms.currency,
    firms.working_day_period,
    firms.schedule_hour,
    firms.schedule_minute,
    firms.churn_threshold_days,
    firms.modules,
    firms.language,
    firms.is_paused,
    snapshots.as_of,
    loaded.loaded_at,
    counted.metric_value as customers,
    last_run.as_of as run_as_of,
    last_run.stage as run_stage,
    last_run.status as run_status,
    last_run.message as run_message,
    last_run.finished_at as run_finished_at,
    checks_made.checks,
    checks_made.failed_critical,
    checks_made.failed_warnings,
    rejected.rejected_rows,
    rejected.rejected_amount,
    limited.insufficient_modules,
    coalesce(firms.name, firms.firm_key) as firm_name
from control.firms
inner join asked on firms.firm_key = asked.firm_key
left join snapshots on firms.firm_key = snapshots.firm_key
left join loaded on firms.firm_key = loaded.firm_key
left join lateral (
    select known.metric_value
    from mart.firm_metric(firms.firm_key, snapshots.as_of) as known
    where
        known.metric = 'customers'
        and known.member = ''
) as counted on true
left join lateral (
    select
        step_runs.as_of,
        step_runs.stage,
        step_runs.status,
        step_runs.message,
        step_runs.finished_at
    from control.step_runs
    where step_runs.firm_key = firms.firm_key
    order by step_runs.step_run_id desc
    limit 1
) as last_run on true
left join lateral (
    select
        count(*) as checks,
        count(*) filter (where not quality.passed and quality.is_critical) as failed_critical,
        count(*) filter (where not quality.passed and not quality.is_critical) as failed_warnings
    from control.quality
    where
        quality.firm_key = firms.firm_key
        and quality.as_of = last_run.as_of
) as checks_made on true
left join lateral (
    select
        sum(rejections.row_count) as rejected_rows,
        sum(rejections.net_amount) as rejected_amount
    from control.rejections
    where rejections.firm_key = firms.firm_key
) as rejected on true
left join lateral (
    select
        json_agg(
            json_build_object('module', module_status.module, 'reason', module_status.reason)
            order by module_status.module
        ) as insufficient_modules
    from control.module_status
    where
        module_status.firm_key = firms.firm_key
        and module_status.as_of = snapshots.as_of
        and not module_status.is_sufficient
) as limited on true
where firms.removed_at is null
order by firms.firm_key;

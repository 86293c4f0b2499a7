-- grants: statements that add missing and remove superfluous privileges of the groups; no row if none.
-- Readable are: tables with row-level security, views with security_invoker (in mart and in analytics), and
-- the tables without firm_sk that are named here. Other new tables and views are not granted.
-- The console reads what an analyst reads, and of control the columns named here: no sample of a row, no
-- address of a source.

with groups as (

    select pg_roles.rolname as role_name
    from pg_catalog.pg_roles
    where
        pg_roles.rolname in (
            'firmament_platform', 'firmament_analyst', 'firmament_outreach', 'firmament_console'
        )

),

relations as (

    select
        pg_class.oid,
        pg_namespace.nspname as schema_name,
        pg_class.relname as table_name,
        pg_class.relkind as kind,
        pg_class.relrowsecurity as is_closed,
        coalesce(pg_class.reloptions @> array['security_invoker=true'], false) as asks_as_invoker,
        format('%I.%I', pg_namespace.nspname, pg_class.relname) as full_name
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where
        pg_class.relkind in ('r', 'p', 'v', 'm')
        and pg_namespace.nspname in ('analytics', 'mart', 'control', 'pii', 'parts')

),

wanted as (

    select
        relations.full_name,
        groups.role_name,
        case
            when relations.schema_name = 'analytics'
                then
                    groups.role_name <> 'firmament_outreach'
                    and (
                        relations.is_closed
                        or relations.asks_as_invoker
                        or relations.table_name in ('dim_date', 'dim_customer_tier')
                    )
            when relations.table_name = 'vw_outreach_contact'
                then groups.role_name = 'firmament_outreach' and relations.asks_as_invoker
            when relations.schema_name = 'mart'
                then groups.role_name <> 'firmament_outreach' and relations.asks_as_invoker
            when relations.schema_name = 'pii'
                then groups.role_name = 'firmament_outreach' and relations.is_closed
            when relations.schema_name = 'control' and relations.table_name = 'module_status'
                then groups.role_name <> 'firmament_outreach' and relations.is_closed
            when groups.role_name = 'firmament_console' and relations.schema_name = 'control'
                then relations.table_name = 'vw_model_drift' and relations.asks_as_invoker
            when relations.schema_name = 'control'
                then
                    groups.role_name = 'firmament_platform'
                    and relations.table_name not in ('access', 'erasure_salts')
            else false
        end as is_wanted,
        has_table_privilege(groups.role_name, relations.oid, 'select') as is_granted
    from relations
    cross join groups

),

schemas as (

    select
        pg_namespace.nspname as schema_name,
        groups.role_name,
        pg_namespace.nspname in ('analytics', 'mart', 'control')
        or (pg_namespace.nspname = 'pii' and groups.role_name = 'firmament_outreach') as is_wanted,
        has_schema_privilege(groups.role_name, pg_namespace.oid, 'usage') as is_granted
    from pg_catalog.pg_namespace
    cross join groups
    where pg_namespace.nspname in ('analytics', 'mart', 'control', 'pii', 'parts')

),

functions as (

    select
        pg_proc.oid,
        groups.role_name
    from pg_catalog.pg_proc
    inner join pg_catalog.pg_namespace on pg_proc.pronamespace = pg_namespace.oid
    cross join groups
    where
        pg_namespace.nspname = 'control'
        and pg_proc.proname in (
            'visible_firms', 'visible_firm_keys', 'planned_firms', 'planned_firm_keys',
            'console_firms', 'console_firm_keys', 'planned_console_firms'
        )
        and (pg_proc.proname like '%console%') = (groups.role_name = 'firmament_console')
        and not has_function_privilege(groups.role_name, pg_proc.oid, 'execute')

),

console_columns as (

    select
        column_names.column_name,
        groups.role_name,
        format('control.%I', named.table_name) as full_name
    from (
        values
        (
            'firms',
            'firm_key,name,timezone,currency,working_day_period,schedule_hour,'
            'schedule_minute,churn_threshold_days,'
            'modules,language,is_paused,removed_at'
        ),
        (
            'step_runs',
            'step_run_id,firm_key,as_of,stage,step,status,row_count,seconds,message,started_at,finished_at,'
            'airflow_run_id,attempt,cpu_seconds,peak_mb'
        ),
        ('loads', 'firm_key,table_name,slice,as_of,manifest_sha256,row_count,loaded_at'),
        (
            'quality',
            'quality_id,firm_key,dataset,slice,as_of,expectation,column_name,is_critical,passed,observed,'
            'expected,checked_at'
        ),
        ('rejections', 'firm_key,dataset,slice,reason,as_of,row_count,net_amount,recorded_at'),
        (
            'models',
            'firm_key,module,model_version,anchor,is_standing,method,reason,is_sufficient,horizon_days,'
            'sentinel_checks,sentinel_checks_passed,trained_at,challenger,candidates,training_cutoffs'
        ),
        (
            'model_gates',
            'firm_key,module,anchor,contender_anchor,model_version,method,is_scoring,error,error_name,'
            'margin,cutoff,reason,decided_at'
        ),
        (
            'incidents',
            'incident_id,place,kind,resource_name,severity,opened_at,closed_at'
        ),
        (
            'incident_firms',
            'entry_id,incident_id,firm_key,as_of,task_id,error,failed_at,is_snapshot_missing'
        ),
        (
            'model_drift',
            'firm_key,module,as_of,model_version,variable_name,is_score,psi,training_customers,customers'
        )
    ) as named (table_name, column_list)
    inner join groups on groups.role_name = 'firmament_console'
    cross join lateral unnest(string_to_array(named.column_list, ',')) as column_names (column_name)

)

select
    case
        when schemas.is_wanted
            then format('grant usage on schema %I to %I', schemas.schema_name, schemas.role_name)
        else format('revoke all on schema %I from %I', schemas.schema_name, schemas.role_name)
    end as to_do
from schemas
where schemas.is_wanted <> schemas.is_granted
union all
select
    case
        when wanted.is_wanted then format('grant select on %s to %I', wanted.full_name, wanted.role_name)
        else format('revoke all on %s from %I', wanted.full_name, wanted.role_name)
    end as to_do
from wanted
where wanted.is_wanted <> wanted.is_granted
union all
select
    format(
        'grant execute on function %s to %I', functions.oid::regprocedure, functions.role_name
    ) as to_do
from functions
union all
select
    format(
        'grant select (%I) on %s to %I',
        console_columns.column_name, console_columns.full_name, console_columns.role_name
    ) as to_do
from console_columns
where
    not has_column_privilege(
        console_columns.role_name, console_columns.full_name, console_columns.column_name, 'select'
    )
order by to_do;

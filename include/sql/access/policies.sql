-- policies: statements that complete row-level security, one per row; no row if nothing is missing.
-- A table with firm_sk gets row-level security first, and then its policies. Partitions get no policy: their
-- rows are read through the parent. A policy's comment contains its rule: a policy with another comment is
-- replaced, so a changed rule reaches existing warehouses. Any other policy for the groups is dropped.
--
-- Each rule tests the firm twice. control.planned_firms is evaluated by the planner: the plan has constants
-- instead, and no partition of another firm. control.visible_firms is evaluated when a statement starts: a
-- revoked firm is no longer visible in prepared statements either.
--
-- The console's role sees the firms that the setting firmament.firms of its transaction lists. Only the
-- policies of that role read the setting.

with tables as (

    select
        pg_class.oid,
        pg_namespace.nspname as schema_name,
        pg_class.relname as table_name,
        pg_class.relrowsecurity as is_closed,
        format('%I.%I', pg_namespace.nspname, pg_class.relname) as full_name,
        exists(
            select pg_attribute.attnum
            from pg_catalog.pg_attribute
            where
                pg_attribute.attrelid = pg_class.oid
                and pg_attribute.attname = 'firm_sk'
                and not pg_attribute.attisdropped
        ) as has_firm
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where
        pg_class.relkind in ('r', 'p')
        and (
            pg_namespace.nspname in ('analytics', 'pii', 'parts')
            or (
                pg_namespace.nspname = 'control'
                and pg_class.relname in (
                    'module_status', 'firms', 'step_runs', 'loads', 'quality', 'rejections', 'models',
                    'model_gates', 'model_drift', 'incident_firms', 'incidents'
                )
            )
        )

),

closing as (

    select
        1 as place,
        tables.full_name,
        format('alter table %s enable row level security', tables.full_name) as to_do
    from tables
    where
        not tables.is_closed
        and (tables.has_firm or tables.schema_name <> 'analytics')

),

rules as (

    select
        named.policy_name,
        named.role_name,
        named.schema_name,
        named.rule_text
    from (
        values
        (
            'analyst_sees_her_firms', 'firmament_analyst', 'analytics',
            'firm_sk = any (control.planned_firms(''analyst'')) '
            'and firm_sk = any ((select control.visible_firms(''analyst''))::integer[])'
        ),
        (
            'analyst_sees_her_firms', 'firmament_analyst', 'control',
            'firm_key = any (control.planned_firm_keys()) '
            'and firm_key = any ((select control.visible_firm_keys())::text[])'
        ),
        (
            'outreach_sees_her_firms', 'firmament_outreach', 'pii',
            'firm_sk = any (control.planned_firms(''outreach'')) '
            'and firm_sk = any ((select control.visible_firms(''outreach''))::integer[])'
        ),
        ('platform_sees_all', 'firmament_platform', 'analytics', 'true'),
        ('platform_sees_all', 'firmament_platform', 'control', 'true'),
        (
            'console_sees_the_users_firms', 'firmament_console', 'analytics',
            'firm_sk = any (control.planned_console_firms()) '
            'and firm_sk = any ((select control.console_firms())::integer[])'
        ),
        (
            'console_sees_the_users_firms', 'firmament_console', 'control',
            'firm_key = any ((select control.console_firm_keys())::text[])'
        )
    ) as named (policy_name, role_name, schema_name, rule_text)

),

wanted as (

    select
        tables.oid,
        tables.full_name,
        rules.policy_name,
        rules.role_name,
        -- An incident has no firm: a user sees it if the user sees a row of incident_firms that it hit.
        case
            when tables.full_name = 'control.incidents' and rules.rule_text like '%firm_key%'
                then
                    'exists (select from control.incident_firms '
                    'where incident_firms.incident_id = incidents.incident_id)'
            else rules.rule_text
        end as rule_text
    from tables
    inner join rules on tables.schema_name = rules.schema_name
    inner join pg_catalog.pg_roles on rules.role_name = pg_roles.rolname
    where tables.has_firm or tables.schema_name = 'control'

),

found as (

    select
        tables.oid,
        tables.full_name,
        pg_policy.polname as policy_name,
        obj_description(pg_policy.oid, 'pg_policy') as rule_text,
        exists(
            select applied.role_oid
            from unnest(pg_policy.polroles) as applied (role_oid)
            left join pg_catalog.pg_roles on applied.role_oid = pg_roles.oid
            where
                applied.role_oid = 0
                or pg_roles.rolname in (
                    'firmament_platform', 'firmament_analyst', 'firmament_outreach', 'firmament_console'
                )
        ) as is_for_groups
    from pg_catalog.pg_policy
    inner join tables on pg_policy.polrelid = tables.oid

),

dropping as (

    select
        2 as place,
        found.full_name,
        format('drop policy %I on %s', found.policy_name, found.full_name) as to_do
    from found
    left join wanted
        on
            found.oid = wanted.oid
            and found.policy_name = wanted.policy_name
    where
        found.is_for_groups
        and wanted.oid is null

),

opening as (

    select
        3 as place,
        wanted.full_name,
        format(
            'drop policy if exists %1$I on %2$s; '
            'create policy %1$I on %2$s for select to %3$I using (%4$s); '
            'comment on policy %1$I on %2$s is %4$L',
            wanted.policy_name, wanted.full_name, wanted.role_name, wanted.rule_text
        ) as to_do
    from wanted
    left join found
        on
            wanted.oid = found.oid
            and wanted.policy_name = found.policy_name
    where found.rule_text is distinct from wanted.rule_text

)

select
    closing.to_do,
    closing.place,
    closing.full_name
from closing
union all
select
    dropping.to_do,
    dropping.place,
    dropping.full_name
from dropping
union all
select
    opening.to_do,
    opening.place,
    opening.full_name
from opening
order by place, full_name, to_do;

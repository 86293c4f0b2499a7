-- policies: what row-level security still lacks, one statement a row; none when all is well.
-- A table with a firm's key is closed first and opened, firm by firm, by its policies. Partitions are closed
-- and stay so: whoever is let in comes through the parent.

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
            or (pg_namespace.nspname = 'control' and pg_class.relname = 'module_status')
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
        named.rule
    from (
        values
        (
            'analyst_sees_her_firms', 'firmament_analyst', 'analytics',
            'firm_sk = any ((select control.visible_firms(''analyst''))::integer[])'
        ),
        (
            'analyst_sees_her_firms', 'firmament_analyst', 'control',
            'firm_key = any ((select control.visible_firm_keys())::text[])'
        ),
        (
            'outreach_sees_her_firms', 'firmament_outreach', 'pii',
            'firm_sk = any ((select control.visible_firms(''outreach''))::integer[])'
        ),
        ('platform_sees_all', 'firmament_platform', 'analytics', 'true'),
        ('platform_sees_all', 'firmament_platform', 'control', 'true')
    ) as named (policy_name, role_name, schema_name, rule)

),

opening as (

    select
        2 as place,
        tables.full_name,
        format(
            'create policy %I on %s for select to %I using (%s)',
            rules.policy_name, tables.full_name, rules.role_name, rules.rule
        ) as to_do
    from tables
    inner join rules on tables.schema_name = rules.schema_name
    inner join pg_catalog.pg_roles on rules.role_name = pg_roles.rolname
    where
        (tables.has_firm or tables.schema_name = 'control')
        and not exists (
            select pg_policy.oid
            from pg_catalog.pg_policy
            where
                pg_policy.polrelid = tables.oid
                and pg_policy.polname = rules.policy_name
        )

)

select
    closing.to_do,
    closing.place,
    closing.full_name
from closing
union all
select
    opening.to_do,
    opening.place,
    opening.full_name
from opening
order by place, full_name, to_do;

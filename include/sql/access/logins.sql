-- logins: statements that set who may connect to the warehouse's database, and the statement time-out of
-- analysts; no row if nothing is to change. Logins with a grant and the console's login may connect; PUBLIC
-- may neither connect nor create temporary objects. Only the database's owner can change this: another role
-- gets no row.
-- A statement_timeout that an administrator set for a login stays.

with warehouse as (

    select
        pg_database.oid,
        pg_database.datname as database_name,
        coalesce(pg_database.datacl, acldefault('d', pg_database.datdba)) as access_list
    from pg_catalog.pg_database
    where
        pg_database.datname = current_database()
        and pg_has_role(current_user, pg_database.datdba, 'usage')

),

logins as (

    select
        pg_roles.oid,
        access.login_name,
        bool_or(access.role_name <> 'platform') as is_analyst
    from control.access
    inner join pg_catalog.pg_roles on access.login_name = pg_roles.rolname
    group by
        pg_roles.oid,
        access.login_name
    union all
    select
        pg_roles.oid,
        pg_roles.rolname as login_name,
        true as is_analyst
    from pg_catalog.pg_roles
    where pg_roles.rolname = 'firmament_console'

),

held as (

    select
        warehouse.database_name,
        entry.grantee,
        entry.privilege_type
    from warehouse
    cross join lateral aclexplode(warehouse.access_list) as entry

)

select format('revoke connect, temporary on database %I from public', warehouse.database_name) as to_do
from warehouse
where
    exists (
        select held.grantee
        from held
        where held.grantee = 0
    )
union all
select format('grant connect on database %I to %I', warehouse.database_name, logins.login_name) as to_do
from warehouse
cross join logins
left join held
    on
        logins.oid = held.grantee
        and held.privilege_type = 'CONNECT'
where held.grantee is null
union all
select
    format(
        'alter role %I in database %I set statement_timeout = %L',
        logins.login_name, warehouse.database_name, '10min'
    ) as to_do
from warehouse
cross join logins
left join pg_catalog.pg_db_role_setting
    on
        logins.oid = pg_db_role_setting.setrole
        and pg_db_role_setting.setdatabase in (0, warehouse.oid)
        and exists (
            select chosen.setting_text
            from unnest(pg_db_role_setting.setconfig) as chosen (setting_text)
            where chosen.setting_text like 'statement_timeout=%'
        )
where
    logins.is_analyst
    and pg_db_role_setting.setrole is null
order by to_do;

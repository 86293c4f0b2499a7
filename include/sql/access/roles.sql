-- roles: statements that create the groups missing from this server, and the login of the console.
-- A login without a password cannot connect: `python -m include access console` gives it one.

select format('create role %I %s', wanted.role_name, wanted.kind) as to_do
from (
    values
    ('firmament_platform', 'nologin'),
    ('firmament_analyst', 'nologin'),
    ('firmament_outreach', 'nologin'),
    ('firmament_console', 'login')
) as wanted (role_name, kind)
where
    not exists (
        select pg_roles.oid
        from pg_catalog.pg_roles
        where pg_roles.rolname = wanted.role_name
    )
order by wanted.role_name;

-- roles: statements that create the groups missing from this server.

select format('create role %I nologin', wanted.role_name) as to_do
from unnest(array['firmament_platform', 'firmament_analyst', 'firmament_outreach']) as wanted (role_name)
where
    not exists (
        select pg_roles.oid
        from pg_catalog.pg_roles
        where pg_roles.rolname = wanted.role_name
    )
order by wanted.role_name;

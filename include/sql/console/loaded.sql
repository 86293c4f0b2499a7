-- loaded: what changes whenever any table of the firm is loaded again.
-- Grain: one row. Params: :firm_key.

select
    count(*) as loads,
    max(loads.loaded_at) as loaded_at,
    md5(string_agg(loads.manifest_sha256, ',' order by loads.table_name, loads.slice)) as manifests
from control.loads
where loads.firm_key = :firm_key;

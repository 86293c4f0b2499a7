-- receipt_loads: what was loaded into some tables for a snapshot, and the hash of the handoffs it came from.
-- Months are those before as_of; manifests is the manifest's own hash where there is one slice.
-- Grain: table_name. Params: :firm_key, :as_of, :tables.

select
    loads.table_name,
    count(*) as slices,
    min(loads.slice) as first_slice,
    max(loads.slice) as last_slice,
    sum(loads.row_count) as row_count,
    max(loads.loaded_at) as loaded_at,
    case
        when count(*) = 1 then min(loads.manifest_sha256)
        else md5(string_agg(loads.manifest_sha256, ',' order by loads.slice))
    end as manifests
from control.loads
where
    loads.firm_key = :firm_key
    and loads.table_name = any(:tables)
    and (
        loads.slice = cast(:as_of as text)
        or loads.table_name like 'dim_%'
        or (length(loads.slice) = 7 and loads.slice < cast(:as_of as text))
    )
group by loads.table_name
order by loads.table_name;

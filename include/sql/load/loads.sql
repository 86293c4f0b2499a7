-- control.loads: the loaded slices. A slice that was not loaded again keeps its rows and gets new tokens.
-- Params: the row's columns, and :is_due, whether the slice was written.

insert into control.loads (
    firm_key,
    table_name,
    slice,
    dataset,
    as_of,
    token,
    manifest_token,
    manifest_sha256,
    loader_sha256,
    row_count
)
values (
    :firm_key,
    :table_name,
    :slice,
    :dataset,
    :as_of,
    :token,
    :manifest_token,
    :manifest_sha256,
    :loader_sha256,
    :row_count
)
on conflict (firm_key, table_name, slice) do update
    set
        as_of = case when :is_due then excluded.as_of else loads.as_of end,
        token = greatest(excluded.token, loads.token),
        manifest_token = greatest(excluded.manifest_token, loads.manifest_token),
        manifest_sha256 = case when :is_due then excluded.manifest_sha256 else loads.manifest_sha256 end,
        loader_sha256 = case when :is_due then excluded.loader_sha256 else loads.loader_sha256 end,
        row_count = case when :is_due then excluded.row_count else loads.row_count end,
        loaded_at = case when :is_due then excluded.loaded_at else loads.loaded_at end;

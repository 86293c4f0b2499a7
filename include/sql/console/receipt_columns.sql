-- receipt_columns: what the columns of some views and tables mean, by their comments.
-- Grain: column_name. Params: :relations (such as mart.vw_rfm_segment_summary).

select
    pg_attribute.attname as column_name,
    min(col_description(pg_attribute.attrelid, pg_attribute.attnum)) as meaning
from unnest(cast(:relations as text[])) as named (relation_name)
inner join pg_catalog.pg_attribute on pg_attribute.attrelid = to_regclass(named.relation_name)
where pg_attribute.attnum > 0
group by pg_attribute.attname;

-- The columns of a schema's tables and views that the login may read.
-- Grain: relation_name, attribute_name. Params: :owner (the schema, in capitals).

select
    cast(table_name as varchar(200)) as relation_name,
    cast(column_name as varchar(200)) as attribute_name
from all_tab_columns
where owner = :owner

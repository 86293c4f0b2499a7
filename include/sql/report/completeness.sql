-- completeness: number of rows of a snapshot, and number of values per column.
-- Grain: one row; a column per column of the dataset, with the same name.
-- Reads dataset: any dataset stored by as_of or anchor, under this name.

select
    count(*) as row_count,
    count(columns(*)) as "\0"
from dataset

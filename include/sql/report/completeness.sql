-- completeness: how many rows of a snapshot there are, and how many values each column has.
-- Grain: one row; a column per column of the dataset, named as it is.
-- Reads dataset: any dataset kept by as_of or anchor, under this name.

select
    count(*) as row_count,
    count(columns(*)) as "\0"
from dataset

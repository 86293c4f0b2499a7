-- completeness_of_events: how many events there are before as_of, and how many values each column has.
-- Grain: one row; a column per column of the dataset, named as it is. Params: :as_of (exclusive).
-- Reads dataset: any dataset kept by month, under this name. A month may hold days that a later run read.

select
    count(*) as row_count,
    min(order_date) as first_date,
    max(order_date) as last_date,
    count(columns(*)) as "\0"
from dataset
where order_date < :as_of

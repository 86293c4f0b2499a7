-- completeness_of_events: number of events before as_of, and number of values per column.
-- Grain: one row; a column per column of the dataset, with the same name. Params: :as_of (exclusive).
-- Reads dataset: any dataset stored by month, under this name. A month may contain days read by a later run.

select
    count(*) as row_count,
    min(order_date) as first_date,
    max(order_date) as last_date,
    count(columns(*)) as "\0"
from dataset
where order_date < :as_of

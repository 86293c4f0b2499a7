-- rejections: rejected rows of a dataset by reason.
-- Grain: reason. Reads dataset: any <dataset>_rejected, under this name.

select
    reason,
    count(*) as row_count
from dataset
group by reason
order by
    row_count desc,
    reason asc

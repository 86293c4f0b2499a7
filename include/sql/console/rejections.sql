-- rejections: rejected rows by dataset and reason, with their money. No sample of a row.
-- Grain: dataset, reason. Params: :firm_key.

select
    rejections.dataset,
    rejections.reason,
    sum(rejections.row_count) as row_count,
    sum(rejections.net_amount) as net_amount,
    min(rejections.slice) as first_slice,
    max(rejections.slice) as last_slice,
    max(rejections.recorded_at) as recorded_at
from control.rejections
where
    rejections.firm_key = :firm_key
    and rejections.row_count > 0
group by
    rejections.dataset,
    rejections.reason
order by
    sum(rejections.row_count) desc,
    rejections.dataset asc,
    rejections.reason asc;

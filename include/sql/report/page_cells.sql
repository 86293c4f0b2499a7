-- page_cells: customers and net sales by recency and frequency score.
-- Grain: recency_score, frequency_score. No params: rfm has one as_of.

select
    recency_score,
    frequency_score,
    count(*) as customers,
    sum(total_spend) as net_sales
from rfm
where recency_score is not null
group by
    recency_score,
    frequency_score
order by
    recency_score,
    frequency_score

-- product_stages: products and sales by stage of life: the last 90 days compared with the 90 days before.
-- Grain: stage. Params: :firm_key, :as_of.

select
    shown.stage,
    count(*) as product_count,
    sum(shown.units_90_days) as units_90_days,
    sum(shown.units_previous_90_days) as units_previous_90_days,
    sum(shown.net_amount_90_days) as net_amount_90_days,
    sum(shown.net_amount_previous_90_days) as net_amount_previous_90_days
from mart.product_lifecycle(:firm_key, :as_of) as shown
group by shown.stage
order by
    sum(shown.net_amount_90_days) desc,
    shown.stage asc;

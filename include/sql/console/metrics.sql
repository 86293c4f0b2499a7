-- metrics: the firm's metrics at a snapshot, with the value of the previous one.
-- Grain: metric, member. Params: :firm_key, :as_of.

select
    known.metric,
    known.member,
    known.unit,
    known.metric_value,
    known.previous_as_of,
    known.previous_value,
    known.value_change
from mart.firm_metric(:firm_key, :as_of) as known
order by
    known.metric,
    known.member;

-- rfm_scores: customers and revenue by RFM score.
-- Grain: rfm_score. Params: :firm_key, :as_of.

select
    shown.rfm_score,
    shown.recency_score,
    shown.frequency_score,
    shown.monetary_score,
    shown.segment_name,
    shown.customer_count,
    shown.total_revenue,
    shown.avg_aov,
    shown.r_axis,
    shown.f_axis,
    shown.heat_value
from mart.rfm_score_distribution(:firm_key, :as_of) as shown
order by
    shown.recency_score desc,
    shown.frequency_score asc,
    shown.monetary_score asc;

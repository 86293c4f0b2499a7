-- next_product_test: whether suggested products beat the best-selling ones.
-- Grain: one row. Params: :firm_key, :as_of.

select
    shown.is_used,
    shown.reason,
    shown.tested_from,
    shown.horizon_days,
    shown.tested_customers,
    shown.hit_rate_at_5,
    shown.popular_hit_rate_at_5,
    shown.hit_rate_difference,
    shown.difference_standard_error
from mart.next_product_test(:firm_key, :as_of) as shown;

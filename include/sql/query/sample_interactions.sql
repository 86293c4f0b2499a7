-- sample_interactions: interactions of a sample of customers, before as_of. Excludes rows without a customer.
-- Grain (unordered): interaction_id. Params: :as_of, :below (exclusive hash bound; 'g': all).

select
    interaction_id,
    activity_type,
    activity_subtype,
    activity_reference,
    occurred_at,
    order_date,
    customer_id,
    channel_code,
    campaign_id,
    event_count,
    cost_amount,
    session_duration_mins,
    pages_viewed,
    products_viewed,
    sentiment_score,
    nps_score,
    satisfaction_score,
    referral_source
from interactions
where
    order_date < :as_of
    and substr(md5(customer_id), 1, 4) < :below

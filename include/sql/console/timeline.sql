-- timeline: a customer's orders, returns and events before as_of, latest first.
-- Grain: an order, a return or an event. Params: :firm_key, :as_of, :customer_id; :before (an instant, null
-- for the first page); :page_rows.

select
    shown.customer_id,
    shown.activity_datetime,
    shown.order_date,
    shown.activity_type,
    shown.activity_subtype,
    shown.activity_reference,
    shown.channel_code,
    shown.campaign_id,
    shown.order_value,
    shown.items_count,
    shown.nps_score,
    shown.sentiment_score
from mart.customer_activity_timeline(:firm_key, :customer_id, :as_of) as shown
where
    cast(:before as timestamptz) is null
    or shown.activity_datetime < cast(:before as timestamptz)
order by
    shown.activity_datetime desc,
    shown.activity_type asc,
    shown.activity_reference asc
limit :page_rows;

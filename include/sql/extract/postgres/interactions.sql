-- interactions: one row per event that is not a sale, unusable ones with their reason.
-- Grain: interaction_id.
-- Params: :month_start, :month_end, :as_of_start (instants; ends are exclusive), :earliest, :latest,
-- :timezone, :takes_undated (this month also yields events without a usable date).

with events as (

    select
        interaction_id,
        activity_type,
        activity_subtype,
        activity_reference,
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
        referral_source,
        cast(occurred_at as text) as written_at,
        case when occurred_at >= :earliest and occurred_at < :latest then occurred_at end as occurred_at
    from interactions
    where
        (occurred_at >= :month_start and occurred_at < :month_end and occurred_at < :as_of_start)
        or (:takes_undated and (occurred_at is null or occurred_at < :earliest or occurred_at >= :latest))

),

-- NaN is greater than every number, so the range test rejects it, like infinity.
judged as (

    select
        events.*,
        case
            when events.occurred_at is null then 'bad_date'
            when coalesce(cast(events.interaction_id as text), '') = '' then 'missing_id'
            when
                coalesce(events.activity_type, '') not in (
                    'inquiry', 'complaint', 'ticket', 'feedback', 'nps', 'session', 'login', 'browse',
                    'targeted', 'impression', 'sent', 'opened', 'clicked', 'unsubscribed', 'redemption',
                    'conversion', 'spend'
                )
                then 'unknown_type'
            when events.event_count is null then 'missing_number'
            when
                not (
                    abs(events.event_count) < 1e14
                    and abs(coalesce(events.cost_amount, 0)) < 1e14
                    and abs(coalesce(events.session_duration_mins, 0)) < 1e14
                    and abs(coalesce(events.pages_viewed, 0)) < 1e14
                    and abs(coalesce(events.products_viewed, 0)) < 1e14
                    and abs(coalesce(events.satisfaction_score, 0)) < 1e14
                )
                then 'bad_number'
            when
                events.event_count < 0
                or events.cost_amount < 0
                or events.session_duration_mins < 0
                or events.pages_viewed < 0
                or events.products_viewed < 0
                then 'negative_amount'
            when not coalesce(events.nps_score, 0) between 0 and 10 then 'score_out_of_range'
            when not coalesce(events.sentiment_score, 0) between -1 and 1 then 'score_out_of_range'
        end as rejected_reason
    from events

)

select
    cast(judged.interaction_id as text) as interaction_id,
    judged.activity_type,
    judged.occurred_at,
    judged.rejected_reason,
    cast(judged.session_duration_mins as double precision) as session_duration_mins,
    cast(judged.sentiment_score as double precision) as sentiment_score,
    cast(judged.satisfaction_score as double precision) as satisfaction_score,
    cast(judged.occurred_at at time zone :timezone as date) as order_date,
    nullif(judged.activity_subtype, '') as activity_subtype,
    nullif(cast(judged.activity_reference as text), '') as activity_reference,
    nullif(cast(judged.customer_id as text), '') as customer_id,
    nullif(cast(judged.channel_code as text), '') as channel_code,
    nullif(cast(judged.campaign_id as text), '') as campaign_id,
    nullif(judged.referral_source, '') as referral_source,
    case when abs(judged.event_count) < 1e14 then cast(judged.event_count as bigint) end as event_count,
    case when abs(judged.cost_amount) < 1e14 then cast(round(judged.cost_amount, 4) as text) end
        as cost_amount,
    case when abs(judged.pages_viewed) < 1e14 then cast(judged.pages_viewed as bigint) end as pages_viewed,
    case when abs(judged.products_viewed) < 1e14 then cast(judged.products_viewed as bigint) end
        as products_viewed,
    case when judged.nps_score between 0 and 10 then cast(judged.nps_score as smallint) end as nps_score,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

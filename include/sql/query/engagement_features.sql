-- engagement_features: visits, messages, responses and service per customer. Without an event: no row.
-- Grain: customer_id. Params: :as_of (exclusive). Service is counted in days: a ticket has several events.

with events as (

    select
        *,
        date_diff('day', order_date, cast(:as_of as date)) as days_ago,
        activity_type in ('session', 'login', 'browse') as is_visit,
        activity_type in ('targeted', 'impression', 'sent') as is_message,
        activity_type in ('opened', 'clicked', 'redemption', 'conversion') as is_response,
        activity_type in ('inquiry', 'complaint', 'ticket', 'feedback') as is_service
    from interactions
    where
        order_date < :as_of
        and customer_id is not null

),

counts as (

    select
        customer_id,
        sum(case when days_ago <= 30 and is_visit then event_count else 0 end) as visit_count_30_days,
        sum(case when days_ago <= 30 and is_message then event_count else 0 end) as message_count_30_days,
        sum(case when days_ago <= 30 and is_response then event_count else 0 end) as response_count_30_days,
        count(
            distinct case when days_ago <= 30 and is_service then order_date end
        ) as service_day_count_30_days,
        sum(case when days_ago <= 90 and is_visit then event_count else 0 end) as visit_count_90_days,
        sum(case when days_ago <= 90 and is_message then event_count else 0 end) as message_count_90_days,
        sum(case when days_ago <= 90 and is_response then event_count else 0 end) as response_count_90_days,
        count(
            distinct case when days_ago <= 90 and is_service then order_date end
        ) as service_day_count_90_days,
        sum(case when days_ago <= 365 and is_visit then event_count else 0 end) as visit_count_365_days,
        sum(case when days_ago <= 365 and is_message then event_count else 0 end) as message_count_365_days,
        sum(case when days_ago <= 365 and is_response then event_count else 0 end) as response_count_365_days,
        count(
            distinct case when days_ago <= 365 and is_service then order_date end
        ) as service_day_count_365_days,
        sum(
            case when days_ago <= 90 and activity_type = 'complaint' then event_count else 0 end
        ) as complaint_count_90_days,
        sum(
            case when days_ago <= 365 and activity_type = 'complaint' then event_count else 0 end
        ) as complaint_count_365_days,
        sum(
            case when days_ago <= 365 and activity_type = 'redemption' then event_count else 0 end
        ) as redemption_count_365_days,
        count(distinct case when days_ago <= 365 then campaign_id end) as campaign_count_365_days,
        sum(case when activity_type = 'unsubscribed' then event_count else 0 end) as unsubscribe_count,
        count(distinct channel_code) as interaction_channel_count,
        avg(case when days_ago <= 90 then session_duration_mins end) as avg_session_mins_90_days,
        sum(case when days_ago <= 90 then pages_viewed end) as pages_viewed_90_days,
        sum(case when days_ago <= 90 then products_viewed end) as products_viewed_90_days,
        avg(case when days_ago <= 365 then sentiment_score end) as avg_sentiment_365_days,
        min(case when is_visit then days_ago end) as days_since_last_visit,
        min(case when is_message then days_ago end) as days_since_last_message,
        min(case when is_response then days_ago end) as days_since_last_response,
        min(case when is_service then days_ago end) as days_since_last_service,
        min(case when activity_type = 'complaint' then days_ago end) as days_since_last_complaint,
        max(days_ago) as days_since_first_interaction
    from events
    group by customer_id

),

recommendations as (

    select
        customer_id,
        nps_score,
        row_number() over (
            partition by customer_id
            order by occurred_at desc, interaction_id desc
        ) as place
    from events
    where nps_score is not null

),

ratings as (

    select
        customer_id,
        satisfaction_score,
        row_number() over (
            partition by customer_id
            order by occurred_at desc, interaction_id desc
        ) as place
    from events
    where satisfaction_score is not null

)

select
    counts.*,
    recommendations.nps_score as last_nps_score,
    ratings.satisfaction_score as last_satisfaction_score,
    counts.response_count_90_days / nullif(cast(counts.message_count_90_days as double), 0)
        as responses_per_message_90_days,
    counts.response_count_365_days / nullif(cast(counts.message_count_365_days as double), 0)
        as responses_per_message_365_days,
    3.0 * counts.visit_count_30_days / nullif(cast(counts.visit_count_90_days as double), 0)
        as visit_count_trend_30_of_90_days
from counts
left join recommendations
    on counts.customer_id = recommendations.customer_id and recommendations.place = 1
left join ratings
    on counts.customer_id = ratings.customer_id and ratings.place = 1
order by counts.customer_id

-- fact_interaction: replaces whole months of a firm by the staged events, and the same months of
-- fact_campaign_performance by their counts.
-- Grain: interaction_id; campaign_id, order_date. Params: :firm_sk, :months.

select analytics.add_customers(
    :firm_sk,
    array(select distinct stg_interactions.customer_id from pg_temp.stg_interactions)
) as added;

select analytics.add_channels(
    :firm_sk,
    array(select distinct stg_interactions.channel_code from pg_temp.stg_interactions)
) as added;

select analytics.add_campaigns(
    :firm_sk,
    array(select distinct stg_interactions.campaign_id from pg_temp.stg_interactions)
) as added;

delete from analytics.fact_interaction
using unnest(:months) as replaced (month_start)
where
    fact_interaction.firm_sk = :firm_sk
    and fact_interaction.order_date >= replaced.month_start
    and fact_interaction.order_date < (replaced.month_start + interval '1 month')::date;

insert into analytics.fact_interaction (
    firm_sk,
    order_date,
    date_sk,
    customer_sk,
    channel_sk,
    campaign_sk,
    interaction_id,
    activity_type,
    activity_subtype,
    activity_reference,
    occurred_at,
    event_count,
    cost_amount,
    session_duration_mins,
    pages_viewed,
    products_viewed,
    sentiment_score,
    nps_score,
    satisfaction_score,
    referral_source
)
select
    :firm_sk as firm_sk,
    stg_interactions.order_date,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_interaction_channel.channel_sk,
    dim_campaign.campaign_sk,
    stg_interactions.interaction_id,
    stg_interactions.activity_type,
    stg_interactions.activity_subtype,
    stg_interactions.activity_reference,
    stg_interactions.occurred_at,
    stg_interactions.event_count,
    stg_interactions.cost_amount,
    stg_interactions.session_duration_mins,
    stg_interactions.pages_viewed,
    stg_interactions.products_viewed,
    stg_interactions.sentiment_score,
    stg_interactions.nps_score,
    stg_interactions.satisfaction_score,
    stg_interactions.referral_source
from pg_temp.stg_interactions
inner join analytics.dim_date on stg_interactions.order_date = dim_date.date_actual
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and coalesce(stg_interactions.customer_id, '(anonymous)') = dim_customer.customer_id
inner join analytics.dim_interaction_channel
    on
        dim_interaction_channel.firm_sk = :firm_sk
        and coalesce(stg_interactions.channel_code, '(unknown)') = dim_interaction_channel.channel_code
left join analytics.dim_campaign
    on
        dim_campaign.firm_sk = :firm_sk
        and stg_interactions.campaign_id = dim_campaign.campaign_id
where date_trunc('month', stg_interactions.order_date)::date = any(:months);

delete from analytics.fact_campaign_performance
using unnest(:months) as replaced (month_start)
where
    fact_campaign_performance.firm_sk = :firm_sk
    and fact_campaign_performance.order_date >= replaced.month_start
    and fact_campaign_performance.order_date < (replaced.month_start + interval '1 month')::date;

insert into analytics.fact_campaign_performance (
    firm_sk,
    order_date,
    date_sk,
    campaign_sk,
    targeted,
    impressions,
    sends,
    opens,
    clicks,
    unsubscribes,
    redemptions,
    conversions,
    spend
)
select
    :firm_sk as firm_sk,
    stg_interactions.order_date,
    dim_date.date_sk,
    dim_campaign.campaign_sk,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'targeted'), 0
    ) as targeted,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'impression'), 0
    ) as impressions,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'sent'), 0
    ) as sends,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'opened'), 0
    ) as opens,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'clicked'), 0
    ) as clicks,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'unsubscribed'), 0
    ) as unsubscribes,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'redemption'), 0
    ) as redemptions,
    coalesce(
        sum(stg_interactions.event_count) filter (where stg_interactions.activity_type = 'conversion'), 0
    ) as conversions,
    coalesce(sum(stg_interactions.cost_amount), 0) as spend
from pg_temp.stg_interactions
inner join analytics.dim_date on stg_interactions.order_date = dim_date.date_actual
inner join analytics.dim_campaign
    on
        dim_campaign.firm_sk = :firm_sk
        and stg_interactions.campaign_id = dim_campaign.campaign_id
where date_trunc('month', stg_interactions.order_date)::date = any(:months)
group by
    stg_interactions.order_date,
    dim_date.date_sk,
    dim_campaign.campaign_sk;

-- fact_customer_acquisition: replaces one snapshot of a firm.
-- Grain: acquisition_id, as_of. Params: :firm_sk, :as_of, :manifest_token.

select analytics.add_customers(
    :firm_sk,
    array(
        select stg_acquisitions.customer_id
        from pg_temp.stg_acquisitions
        where stg_acquisitions.customer_id is not null
        union distinct
        select stg_acquisitions.referrer_customer_id as customer_id
        from pg_temp.stg_acquisitions
        where stg_acquisitions.referrer_customer_id is not null
    )
) as added;

select analytics.add_channels(
    :firm_sk,
    array(select distinct stg_acquisitions.channel_code from pg_temp.stg_acquisitions)
) as added;

select analytics.add_campaigns(
    :firm_sk,
    array(select distinct stg_acquisitions.campaign_id from pg_temp.stg_acquisitions)
) as added;

delete from analytics.fact_customer_acquisition
where
    fact_customer_acquisition.firm_sk = :firm_sk
    and fact_customer_acquisition.as_of = :as_of;

insert into analytics.fact_customer_acquisition (
    firm_sk,
    as_of,
    date_sk,
    customer_sk,
    channel_sk,
    campaign_sk,
    referrer_customer_sk,
    manifest_token
    /*, every column of acquisitions but customer_id, channel_code, campaign_id, referrer_customer_id */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_interaction_channel.channel_sk,
    dim_campaign.campaign_sk,
    referrers.customer_sk as referrer_customer_sk,
    :manifest_token as manifest_token
    /*, the same columns of stg_acquisitions */
from pg_temp.stg_acquisitions
inner join analytics.dim_date on dim_date.date_actual = :as_of
inner join analytics.dim_interaction_channel
    on
        dim_interaction_channel.firm_sk = :firm_sk
        and coalesce(stg_acquisitions.channel_code, '(unknown)') = dim_interaction_channel.channel_code
left join analytics.dim_campaign
    on
        dim_campaign.firm_sk = :firm_sk
        and stg_acquisitions.campaign_id = dim_campaign.campaign_id
left join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_acquisitions.customer_id = dim_customer.customer_id
left join analytics.dim_customer as referrers
    on
        referrers.firm_sk = :firm_sk
        and stg_acquisitions.referrer_customer_id = referrers.customer_id;

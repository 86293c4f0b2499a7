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
    acquisition_id,
    lead_id,
    customer_sk,
    channel_sk,
    campaign_sk,
    referrer_customer_sk,
    acquisition_source,
    first_touchpoint,
    lead_created_date,
    first_contact_date,
    conversion_date,
    days_to_convert,
    touchpoints_count,
    is_acquisition,
    acquired_date,
    first_order_date,
    first_order_value,
    first_order_items,
    days_to_first_order,
    acquisition_cost,
    marketing_cost_attributed,
    sales_cost_attributed,
    revenue_30_days,
    revenue_90_days,
    revenue_365_days,
    orders_365_days,
    cac_payback_days,
    manifest_token
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    stg_acquisitions.acquisition_id,
    stg_acquisitions.lead_id,
    dim_customer.customer_sk,
    dim_interaction_channel.channel_sk,
    dim_campaign.campaign_sk,
    referrers.customer_sk as referrer_customer_sk,
    stg_acquisitions.acquisition_source,
    stg_acquisitions.first_touchpoint,
    stg_acquisitions.lead_created_date,
    stg_acquisitions.first_contact_date,
    stg_acquisitions.conversion_date,
    stg_acquisitions.days_to_convert,
    stg_acquisitions.touchpoints_count,
    stg_acquisitions.is_acquisition,
    stg_acquisitions.acquired_date,
    stg_acquisitions.first_order_date,
    stg_acquisitions.first_order_value,
    stg_acquisitions.first_order_items,
    stg_acquisitions.days_to_first_order,
    stg_acquisitions.acquisition_cost,
    stg_acquisitions.marketing_cost_attributed,
    stg_acquisitions.sales_cost_attributed,
    stg_acquisitions.revenue_30_days,
    stg_acquisitions.revenue_90_days,
    stg_acquisitions.revenue_365_days,
    stg_acquisitions.orders_365_days,
    stg_acquisitions.cac_payback_days,
    :manifest_token as manifest_token
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

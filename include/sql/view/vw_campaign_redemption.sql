-- vw_campaign_redemption: share of targeted customers who redeemed, by type of campaign.
-- Grain: firm_key, campaign_type. The function takes any as_of, the view each firm's latest.
-- Counts pairs of a customer and a campaign: a customer on the lists of two campaigns counts twice.

create or replace function mart.campaign_redemption(firm text, as_of date)
returns table (
    campaign_type text,
    campaigns bigint,
    targeted bigint,
    redeeming bigint,
    redemptions bigint,
    redemption_rate numeric
)
language sql
stable
as $$
with pairs as (

    select
        dim_campaign.campaign_type,
        fact_interaction.campaign_sk,
        fact_interaction.customer_sk,
        bool_or(fact_interaction.activity_type = 'targeted') as is_targeted,
        coalesce(
            sum(fact_interaction.event_count) filter (
                where fact_interaction.activity_type = 'redemption'
            ),
            0
        ) as redemptions
    from analytics.dim_firm
    inner join analytics.fact_interaction on dim_firm.firm_sk = fact_interaction.firm_sk
    inner join analytics.dim_campaign on fact_interaction.campaign_sk = dim_campaign.campaign_sk
    inner join analytics.dim_customer
        on
            fact_interaction.customer_sk = dim_customer.customer_sk
            and not dim_customer.is_anonymous
    where
        dim_firm.firm_key = campaign_redemption.firm
        and fact_interaction.order_date < campaign_redemption.as_of
        and fact_interaction.activity_type in ('targeted', 'redemption')
    group by
        dim_campaign.campaign_type,
        fact_interaction.campaign_sk,
        fact_interaction.customer_sk

)

select
    pairs.campaign_type,
    count(distinct pairs.campaign_sk) as campaigns,
    count(*) filter (where pairs.is_targeted) as targeted,
    count(*) filter (where pairs.redemptions > 0) as redeeming,
    sum(pairs.redemptions)::bigint as redemptions,
    round(
        100.0 * count(*) filter (where pairs.is_targeted and pairs.redemptions > 0)
        / nullif(count(*) filter (where pairs.is_targeted), 0),
        1
    ) as redemption_rate
from pairs
group by pairs.campaign_type
$$;

create or replace view mart.vw_campaign_redemption
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    sorts.*
from mart.vw_latest_snapshot
cross join
    lateral mart.campaign_redemption(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as sorts
where vw_latest_snapshot.fact_name = 'fact_interaction';

comment on function mart.campaign_redemption is 'vw_campaign_redemption of one firm at any as_of.';
comment on view mart.vw_campaign_redemption is
'One row per firm and type of campaign with a targeted or redeeming customer before as_of.';
comment on column mart.vw_campaign_redemption.campaign_type is
'Type of campaign, in the firm''s own terms; null if not given.';
comment on column mart.vw_campaign_redemption.campaigns is 'Campaigns of the type.';
comment on column mart.vw_campaign_redemption.targeted is 'Pairs of a campaign and a customer on its list.';
comment on column mart.vw_campaign_redemption.redeeming is
'Pairs of a campaign and a customer who redeemed it.';
comment on column mart.vw_campaign_redemption.redemptions is 'Coupons or offers redeemed.';
comment on column mart.vw_campaign_redemption.redemption_rate is
'redeeming in percent of targeted, over targeted pairs.';

-- vw_customer_360: all data of a customer in one row: attributes, scores, sales, engagement,
-- points and the chosen action. Contact details are only in the schema pii.
-- Grain: firm_key, customer_id. The function takes any as_of, the view each firm's latest. Sales and events
-- are looked up per customer (lateral), so that a query for one customer is fast.

create or replace function mart.customer_360(firm text, as_of date)
returns table (
    customer_id text,
    country text,
    gender text,
    age_band text,
    joined_date date,
    acquisition_channel text,
    currency text,
    activity_status text,
    last_order_date date,
    days_since_last_order integer,
    order_count bigint,
    total_spend numeric,
    total_spend_365_days numeric,
    rfm_score text,
    rfm_segment text,
    clv_value numeric,
    historical_clv numeric,
    clv_segment text,
    value_tier text,
    lifecycle_stage text,
    churn_probability double precision,
    churn_risk_category text,
    top_churn_factor text,
    first_order_date date,
    return_count bigint,
    returned_amount numeric,
    favourite_category text,
    favourite_channel text,
    last_activity_date date,
    active_days_90_days bigint,
    engagement_trend text,
    complaint_count_365_days numeric,
    last_nps_score smallint,
    points_balance numeric,
    action_code text,
    action_explanation text,
    is_chosen boolean
)
language sql
stable
as $$
select
    golden.customer_id,
    dim_customer.country,
    dim_customer.gender,
    dim_customer.age_band,
    dim_customer.joined_date,
    dim_customer.acquisition_channel,
    golden.currency,
    golden.activity_status,
    golden.last_order_date,
    golden.days_since_last_order,
    golden.order_count,
    golden.total_spend,
    golden.total_spend_365_days,
    golden.rfm_score,
    golden.rfm_segment,
    golden.clv_value,
    golden.historical_clv,
    golden.clv_segment,
    golden.value_tier,
    golden.lifecycle_stage,
    golden.churn_probability,
    golden.churn_risk_category,
    golden.top_churn_factor,
    sales.first_order_date,
    coalesce(sales.return_count, 0) as return_count,
    coalesce(sales.returned_amount, 0) as returned_amount,
    categories.category as favourite_category,
    channels.channel as favourite_channel,
    engagement.last_activity_date,
    engagement.active_days_90_days,
    engagement.engagement_trend,
    engagement.complaint_count_365_days,
    engagement.last_nps_score,
    points.points_balance,
    fact_action.action_code,
    fact_action.explanation as action_explanation,
    fact_action.is_chosen
from mart.analytic_customer(customer_360.firm, customer_360.as_of) as golden
inner join analytics.dim_customer on golden.customer_sk = dim_customer.customer_sk
left join lateral (
    select
        min(fact_sales.order_date) filter (where fact_sales.kind = 'sale') as first_order_date,
        count(distinct fact_sales.transaction_id) filter (where fact_sales.kind = 'return') as return_count,
        coalesce(-sum(fact_sales.net_amount) filter (where fact_sales.kind = 'return'), 0) as returned_amount
    from analytics.fact_sales
    where
        fact_sales.firm_sk = dim_customer.firm_sk
        and fact_sales.customer_sk = dim_customer.customer_sk
        and fact_sales.order_date < customer_360.as_of
) as sales on true
left join lateral (
    select dim_product.category
    from analytics.fact_sales
    inner join analytics.dim_product on fact_sales.product_sk = dim_product.product_sk
    where
        fact_sales.firm_sk = dim_customer.firm_sk
        and fact_sales.customer_sk = dim_customer.customer_sk
        and fact_sales.order_date < customer_360.as_of
        and dim_product.category is not null
    group by dim_product.category
    order by
        sum(fact_sales.net_amount) desc,
        dim_product.category asc
    limit 1
) as categories on true
left join lateral (
    select fact_sales.channel
    from analytics.fact_sales
    where
        fact_sales.firm_sk = dim_customer.firm_sk
        and fact_sales.customer_sk = dim_customer.customer_sk
        and fact_sales.order_date < customer_360.as_of
        and fact_sales.kind = 'sale'
        and fact_sales.channel is not null
    group by fact_sales.channel
    order by
        count(distinct fact_sales.transaction_id) desc,
        fact_sales.channel asc
    limit 1
) as channels on true
left join lateral (
    select
        sum(fact_loyalty_movement.points_earned - fact_loyalty_movement.points_used) as points_balance
    from analytics.fact_loyalty_movement
    where
        fact_loyalty_movement.firm_sk = dim_customer.firm_sk
        and fact_loyalty_movement.customer_sk = dim_customer.customer_sk
        and fact_loyalty_movement.order_date < customer_360.as_of
) as points on true
left join lateral (
    select shown.*
    from mart.customer_engagement(customer_360.firm, customer_360.as_of) as shown
    where shown.customer_id = dim_customer.customer_id
) as engagement on true
left join analytics.fact_action
    on
        dim_customer.firm_sk = fact_action.firm_sk
        and golden.customer_sk = fact_action.customer_sk
        and fact_action.as_of = customer_360.as_of
$$;

create or replace view mart.vw_customer_360
with (security_invoker = true, security_barrier = true)
as
with latest as (

    select
        vw_latest_snapshot.firm_key,
        max(vw_latest_snapshot.as_of) as as_of
    from mart.vw_latest_snapshot
    where
        vw_latest_snapshot.fact_name in (
            'fact_customer_rfm', 'fact_customer_ltv', 'fact_customer_churn_risk'
        )
    group by vw_latest_snapshot.firm_key

)

select
    latest.firm_key,
    latest.as_of,
    shown.customer_id,
    shown.country,
    shown.gender,
    shown.age_band,
    shown.joined_date,
    shown.acquisition_channel,
    shown.currency,
    shown.activity_status,
    shown.last_order_date,
    shown.days_since_last_order,
    shown.order_count,
    shown.total_spend,
    shown.total_spend_365_days,
    shown.rfm_score,
    shown.rfm_segment,
    shown.clv_value,
    shown.historical_clv,
    shown.clv_segment,
    shown.value_tier,
    shown.lifecycle_stage,
    shown.churn_probability,
    shown.churn_risk_category,
    shown.top_churn_factor,
    shown.first_order_date,
    shown.return_count,
    shown.returned_amount,
    shown.favourite_category,
    shown.favourite_channel,
    shown.last_activity_date,
    shown.active_days_90_days,
    shown.engagement_trend,
    shown.complaint_count_365_days,
    shown.last_nps_score,
    shown.points_balance,
    shown.action_code,
    shown.action_explanation,
    shown.is_chosen
from latest
cross join lateral mart.customer_360(latest.firm_key, latest.as_of) as shown;

comment on function mart.customer_360 is 'vw_customer_360 of one firm at any as_of.';
comment on view mart.vw_customer_360 is
'One row per firm and customer at the latest snapshot: attributes, scores, sales, engagement and action.';
comment on column mart.vw_customer_360.acquisition_channel is
'Acquisition channel, as the source reports it.';
comment on column mart.vw_customer_360.rfm_segment is 'Name of the RFM segment.';
comment on column mart.vw_customer_360.clv_value is
'Expected discounted margin from as_of on; null if value was not computed.';
comment on column mart.vw_customer_360.value_tier is 'Name of the value tier.';
comment on column mart.vw_customer_360.top_churn_factor is
'Factor with the largest contribution to the risk; null if none raises it.';
comment on column mart.vw_customer_360.first_order_date is 'Day of the first sale.';
comment on column mart.vw_customer_360.return_count is 'Returns, lifetime.';
comment on column mart.vw_customer_360.returned_amount is 'Amount refunded for returns, lifetime.';
comment on column mart.vw_customer_360.favourite_category is
'Product category with the highest net spend, lifetime; null if unknown.';
comment on column mart.vw_customer_360.favourite_channel is
'Channel with the most orders, lifetime; null if unknown.';
comment on column mart.vw_customer_360.last_activity_date is
'Last day with an activity: see vw_customer_engagement.';
comment on column mart.vw_customer_360.active_days_90_days is
'Days with an activity in the last 90 days.';
comment on column mart.vw_customer_360.engagement_trend is
'Active days against the 90 days before: see vw_customer_engagement.';
comment on column mart.vw_customer_360.complaint_count_365_days is 'Complaints in the last 365 days.';
comment on column mart.vw_customer_360.last_nps_score is
'Latest NPS score, 0 to 10; null without an answer.';
comment on column mart.vw_customer_360.points_balance is
'Points earned less used; null if the customer never had points.';
comment on column mart.vw_customer_360.action_code is
'Action proposed for the customer at this snapshot; null if none.';
comment on column mart.vw_customer_360.action_explanation is 'Reason for the action, as text.';
comment on column mart.vw_customer_360.is_chosen is
'Whether the customer was chosen, within the budget and outside the holdout.';

-- What customers do beside buying, what campaigns did, where customers came from, and their points.

create table analytics.dim_interaction_channel (
    channel_sk integer generated always as identity primary key,
    firm_sk integer not null references analytics.dim_firm,
    channel_code text not null,
    channel_name text,
    channel_type text,
    channel_category text,
    is_online boolean,
    cost_per_interaction numeric(18, 4) check (cost_per_interaction >= 0 and cost_per_interaction <> 'NaN'),
    is_active boolean not null default true,
    as_of date,
    unique (firm_sk, channel_code)
);

comment on table analytics.dim_interaction_channel is
'One row per channel of a firm that its directory or an event names, and one member ''(unknown)''.';
comment on column analytics.dim_interaction_channel.channel_sk is 'Surrogate key of the channel.';
comment on column analytics.dim_interaction_channel.channel_code is 'The source''s own key of the channel.';
comment on column analytics.dim_interaction_channel.channel_name is
'Name; null of a channel known from events alone.';
comment on column analytics.dim_interaction_channel.channel_type is
'What it serves: acquisition, sales, support or marketing.';
comment on column analytics.dim_interaction_channel.channel_category is
'Its kind: digital, physical, phone or partner.';
comment on column analytics.dim_interaction_channel.is_active is
'Whether the firm''s latest directory has it.';
comment on column analytics.dim_interaction_channel.as_of is
'Snapshot that the attributes are from; null of a channel known from events alone.';

create table analytics.dim_campaign (
    campaign_sk integer generated always as identity primary key,
    firm_sk integer not null references analytics.dim_firm,
    campaign_id text not null,
    campaign_name text,
    campaign_type text,
    campaign_channel text,
    target_segment_code text,
    start_date date,
    end_date date,
    budget_amount numeric(18, 4) check (budget_amount >= 0 and budget_amount <> 'NaN'),
    status text,
    is_active boolean not null default true,
    as_of date,
    unique (firm_sk, campaign_id)
);

comment on table analytics.dim_campaign is
'One row per campaign of a firm that its directory or an event names.';
comment on column analytics.dim_campaign.campaign_sk is 'Surrogate key of the campaign.';
comment on column analytics.dim_campaign.campaign_id is 'The source''s own key of the campaign.';
comment on column analytics.dim_campaign.campaign_name is 'Name; null of a campaign known from events alone.';
comment on column analytics.dim_campaign.campaign_type is
'As the firm sorts its campaigns: acquisition, retention, reactivation, ...';
comment on column analytics.dim_campaign.campaign_channel is 'Channel it runs on, by its code.';
comment on column analytics.dim_campaign.end_date is 'Last day it runs.';
comment on column analytics.dim_campaign.is_active is
'Whether the firm''s latest directory has it; status says whether it runs.';
comment on column analytics.dim_campaign.as_of is
'Snapshot that the attributes are from; null of a campaign known from events alone.';

create table analytics.dim_program (
    program_sk integer generated always as identity primary key,
    firm_sk integer not null references analytics.dim_firm,
    programme_id text not null,
    program_name text,
    program_type text,
    is_active boolean not null default true,
    as_of date,
    unique (firm_sk, programme_id)
);

comment on table analytics.dim_program is
'One row per loyalty programme of a firm, and one member ''(unknown)'' for movements of none.';
comment on column analytics.dim_program.program_sk is 'Surrogate key of the programme.';
comment on column analytics.dim_program.programme_id is 'The source''s own key of the programme.';
comment on column analytics.dim_program.program_name is 'Name; null of one known from movements alone.';
comment on column analytics.dim_program.program_type is 'As the firm sorts its programmes.';
comment on column analytics.dim_program.is_active is 'Whether the firm''s latest directory has it.';
comment on column analytics.dim_program.as_of is
'Snapshot that the attributes are from; null of a programme known from movements alone.';

create table analytics.fact_interaction (
    firm_sk integer not null,
    order_date date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    channel_sk integer not null,
    campaign_sk integer,
    interaction_id text not null,
    activity_type text not null,
    activity_subtype text,
    activity_reference text,
    occurred_at timestamptz not null,
    event_count bigint not null check (event_count >= 0),
    cost_amount numeric(18, 4) check (cost_amount >= 0 and cost_amount <> 'NaN'),
    session_duration_mins double precision check (session_duration_mins >= 0),
    pages_viewed bigint check (pages_viewed >= 0),
    products_viewed bigint check (products_viewed >= 0),
    sentiment_score double precision check (sentiment_score between -1 and 1),
    nps_score smallint check (nps_score between 0 and 10),
    satisfaction_score double precision,
    referral_source text
) partition by list (firm_sk);

create index fact_interaction_order_date on analytics.fact_interaction (order_date);
create index fact_interaction_customer_sk on analytics.fact_interaction (customer_sk, order_date);
create index fact_interaction_campaign_sk on analytics.fact_interaction (campaign_sk, order_date)
where campaign_sk is not null;

comment on table analytics.fact_interaction is
'One row per event beside a sale: tickets, complaints, surveys, sessions, e-mails, campaigns. '
'Of nobody known: the anonymous customer. Orders are added by fact_customer_activity.';
comment on column analytics.fact_interaction.order_date is 'Its day in the firm''s time zone.';
comment on column analytics.fact_interaction.date_sk is 'Row of dim_date for order_date.';
comment on column analytics.fact_interaction.channel_sk is
'Row of dim_interaction_channel; the member ''(unknown)'' when not given.';
comment on column analytics.fact_interaction.campaign_sk is 'Row of dim_campaign; null of no campaign.';

create table analytics.fact_campaign_performance (
    firm_sk integer not null references analytics.dim_firm,
    order_date date not null,
    date_sk integer not null,
    campaign_sk integer not null references analytics.dim_campaign,
    targeted bigint not null,
    impressions bigint not null,
    sends bigint not null,
    opens bigint not null,
    clicks bigint not null,
    unsubscribes bigint not null,
    redemptions bigint not null,
    conversions bigint not null,
    spend numeric(18, 4) not null check (spend <> 'NaN'),
    primary key (firm_sk, order_date, campaign_sk)
);

create index fact_campaign_performance_campaign_sk
on analytics.fact_campaign_performance (campaign_sk, order_date);

comment on table analytics.fact_campaign_performance is
'One row per campaign and day with an event of it. Counts and spend alone, so that days add up; rates, '
'reach and attributed sales are in mart.vw_campaign_performance. Loaded together with fact_interaction.';
comment on column analytics.fact_campaign_performance.order_date is 'Day in the firm''s time zone.';
comment on column analytics.fact_campaign_performance.date_sk is 'Row of dim_date for order_date.';
comment on column analytics.fact_campaign_performance.campaign_sk is 'Row of dim_campaign.';
comment on column analytics.fact_campaign_performance.targeted is 'Customers put on its list that day.';
comment on column analytics.fact_campaign_performance.impressions is 'Times it was shown.';
comment on column analytics.fact_campaign_performance.sends is 'Messages sent.';
comment on column analytics.fact_campaign_performance.opens is 'Messages opened, each time anew.';
comment on column analytics.fact_campaign_performance.clicks is 'Clicks.';
comment on column analytics.fact_campaign_performance.unsubscribes is 'Customers who asked for no more.';
comment on column analytics.fact_campaign_performance.redemptions is 'Coupons or offers redeemed.';
comment on column analytics.fact_campaign_performance.conversions is 'Conversions that the source reports.';
comment on column analytics.fact_campaign_performance.spend is 'Cost of the day''s events.';

create table analytics.fact_customer_acquisition (
    firm_sk integer not null,
    as_of date not null,
    date_sk integer not null,
    acquisition_id text not null,
    lead_id text,
    customer_sk bigint,
    channel_sk integer not null,
    campaign_sk integer,
    referrer_customer_sk bigint,
    acquisition_source text,
    first_touchpoint text,
    lead_created_date date,
    first_contact_date date,
    conversion_date date,
    days_to_convert integer check (days_to_convert >= 0),
    touchpoints_count bigint check (touchpoints_count >= 0),
    is_acquisition boolean not null,
    acquired_date date,
    first_order_date date,
    first_order_value numeric(18, 4) check (first_order_value <> 'NaN'),
    first_order_items numeric(18, 4) check (first_order_items <> 'NaN'),
    days_to_first_order integer check (days_to_first_order >= 0),
    acquisition_cost numeric(18, 4) check (acquisition_cost >= 0 and acquisition_cost <> 'NaN'),
    marketing_cost_attributed numeric(18, 4) check (marketing_cost_attributed >= 0),
    sales_cost_attributed numeric(18, 4) check (sales_cost_attributed >= 0),
    revenue_30_days numeric(18, 4) check (revenue_30_days <> 'NaN'),
    revenue_90_days numeric(18, 4) check (revenue_90_days <> 'NaN'),
    revenue_365_days numeric(18, 4) check (revenue_365_days <> 'NaN'),
    orders_365_days bigint check (orders_365_days >= 0),
    cac_payback_days integer check (cac_payback_days >= 0),
    manifest_token bigint not null,
    primary key (firm_sk, as_of, acquisition_id),
    check (is_acquisition = (acquired_date is not null)),
    check (not is_acquisition or customer_sk is not null)
) partition by list (firm_sk);

create index fact_customer_acquisition_date_sk on analytics.fact_customer_acquisition (date_sk);
create index fact_customer_acquisition_customer_sk
on analytics.fact_customer_acquisition (customer_sk, as_of);
create index fact_customer_acquisition_channel_sk on analytics.fact_customer_acquisition (channel_sk, as_of);

comment on table analytics.fact_customer_acquisition is
'One row per lead and snapshot, whether or not it became a customer, and one per customer who came '
'without a lead. Of several leads of one customer, one has is_acquisition, and it alone holds orders '
'and revenue, so sums are right.';
comment on column analytics.fact_customer_acquisition.date_sk is 'Row of dim_date for as_of.';
comment on column analytics.fact_customer_acquisition.customer_sk is
'Row of dim_customer; null of a lead that is no customer yet.';
comment on column analytics.fact_customer_acquisition.channel_sk is
'Row of dim_interaction_channel; the member ''(unknown)'' when not given.';
comment on column analytics.fact_customer_acquisition.campaign_sk is
'Row of dim_campaign; null of no campaign.';
comment on column analytics.fact_customer_acquisition.referrer_customer_sk is
'Customer who referred the lead: row of dim_customer.';

create table analytics.fact_loyalty_movement (
    firm_sk integer not null,
    order_date date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    program_sk integer not null,
    movement_id text not null,
    transaction_id text,
    occurred_at timestamptz not null,
    points_earned numeric(18, 4) not null check (points_earned >= 0 and points_earned <> 'NaN'),
    points_used numeric(18, 4) not null check (points_used >= 0 and points_used <> 'NaN')
) partition by list (firm_sk);

create index fact_loyalty_movement_order_date on analytics.fact_loyalty_movement (order_date);
create index fact_loyalty_movement_customer_sk on analytics.fact_loyalty_movement (customer_sk, order_date);

comment on table analytics.fact_loyalty_movement is
'One row per earning or spending of points. Earned less used, summed up to a day, is that day''s balance.';
comment on column analytics.fact_loyalty_movement.date_sk is 'Row of dim_date for order_date.';
comment on column analytics.fact_loyalty_movement.program_sk is
'Row of dim_program; the member ''(unknown)'' when not given.';

-- Orders live once, in fact_sales; a firm without any other event has its orders here all the same.
create view analytics.fact_customer_activity
with (security_invoker = true, security_barrier = true)
as
select
    fact_sales.firm_sk,
    fact_sales.order_date,
    fact_sales.date_sk,
    fact_sales.customer_sk,
    case fact_sales.kind when 'sale' then 'order' else fact_sales.kind end as activity_type,
    null::text as activity_subtype,
    fact_sales.transaction_id as activity_reference,
    min(fact_sales.occurred_at) as activity_datetime,
    min(fact_sales.channel) as channel_code,
    null::integer as campaign_sk,
    sum(fact_sales.net_amount) as order_value,
    sum(fact_sales.quantity) as items_count,
    null::bigint as event_count,
    null::numeric(18, 4) as cost_amount,
    null::double precision as session_duration_mins,
    null::bigint as pages_viewed,
    null::bigint as products_viewed,
    null::double precision as sentiment_score,
    null::smallint as nps_score,
    null::double precision as satisfaction_score,
    null::text as referral_source
from analytics.fact_sales
group by
    fact_sales.firm_sk,
    fact_sales.order_date,
    fact_sales.date_sk,
    fact_sales.customer_sk,
    fact_sales.kind,
    fact_sales.transaction_id

union all

select
    fact_interaction.firm_sk,
    fact_interaction.order_date,
    fact_interaction.date_sk,
    fact_interaction.customer_sk,
    fact_interaction.activity_type,
    fact_interaction.activity_subtype,
    fact_interaction.activity_reference,
    fact_interaction.occurred_at as activity_datetime,
    dim_interaction_channel.channel_code,
    fact_interaction.campaign_sk,
    null::numeric as order_value,
    null::numeric as items_count,
    fact_interaction.event_count,
    fact_interaction.cost_amount,
    fact_interaction.session_duration_mins,
    fact_interaction.pages_viewed,
    fact_interaction.products_viewed,
    fact_interaction.sentiment_score,
    fact_interaction.nps_score,
    fact_interaction.satisfaction_score,
    fact_interaction.referral_source
from analytics.fact_interaction
inner join analytics.dim_interaction_channel
    on fact_interaction.channel_sk = dim_interaction_channel.channel_sk;

comment on view analytics.fact_customer_activity is
'One row per thing a customer did or that was done to them: orders (activity_type ''order''), returns '
'(''return''), and every row of fact_interaction. Customers unknown are the anonymous one.';
comment on column analytics.fact_customer_activity.order_date is 'Day in the firm''s time zone.';
comment on column analytics.fact_customer_activity.date_sk is 'Row of dim_date for order_date.';
comment on column analytics.fact_customer_activity.activity_type is
'order, return, or the activity_type of fact_interaction: nps, ticket, session, sent, redemption, ...';
comment on column analytics.fact_customer_activity.activity_datetime is 'When it happened, UTC.';
comment on column analytics.fact_customer_activity.channel_code is
'Channel by its code; ''(unknown)'' or null when not given.';
comment on column analytics.fact_customer_activity.campaign_sk is
'Row of dim_campaign; null of no campaign.';
comment on column analytics.fact_customer_activity.order_value is
'Net amount of an order; negative of a return; null of anything else.';
comment on column analytics.fact_customer_activity.items_count is
'Units of an order; negative of a return; null of anything else.';
comment on column analytics.fact_customer_activity.event_count is
'How many events the row stands for; null of orders and returns.';

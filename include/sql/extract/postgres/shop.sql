-- The operational schema that the postgres source reads: tables, or views with these names and columns.
-- Run it with the search_path set to the shop's schema. No foreign keys: sources are often replicas
-- without them, and the quality gate counts rows that do not match.

create table if not exists customers (
    customer_id text primary key,
    full_name text,
    email text,
    phone text,
    birth_date date,
    gender text,
    city text,
    country text,
    created_at timestamp with time zone,
    acquisition_channel text,
    age_band text,
    income_band text,
    household_size text,
    may_contact boolean
);

create table if not exists products (
    product_id text primary key,
    product_name text,
    department text,
    category text,
    brand text,
    unit_cost numeric(18, 4)
);

create table if not exists orders (
    order_id text primary key,
    customer_id text,
    ordered_at timestamp with time zone not null,
    status text not null default 'completed',
    channel text,
    payment_method text,
    programme_id text
);

create table if not exists order_lines (
    order_id text not null,
    line_no text not null,
    product_id text,
    quantity numeric(18, 4) not null,
    gross_amount numeric(18, 4) not null,
    discount_amount numeric(18, 4) not null default 0,
    coupon_amount numeric(18, 4) not null default 0,
    cost_amount numeric(18, 4),
    primary key (order_id, line_no)
);

create table if not exists returns (
    return_id text primary key,
    order_id text,
    customer_id text,
    returned_at timestamp with time zone not null,
    channel text,
    payment_method text,
    programme_id text
);

create table if not exists return_lines (
    return_id text not null,
    line_no text not null,
    product_id text,
    quantity numeric(18, 4) not null,
    refund_amount numeric(18, 4) not null,
    cost_amount numeric(18, 4),
    primary key (return_id, line_no)
);

create table if not exists loyalty_movements (
    movement_id text primary key,
    customer_id text not null,
    programme_id text,
    order_id text,
    occurred_at timestamp with time zone not null,
    points_earned numeric(18, 4) not null default 0,
    points_used numeric(18, 4) not null default 0
);

-- The following tables are optional. Modules that need a missing table have no data: see docs/sources.md.

create table if not exists campaigns (
    campaign_id text primary key,
    campaign_name text,
    campaign_type text,
    channel_code text,
    target_segment_code text,
    start_date date,
    end_date date,
    budget_amount numeric(18, 4),
    status text,
    created_at timestamp with time zone
);

create table if not exists channels (
    channel_code text primary key,
    channel_name text,
    channel_type text,
    channel_category text,
    is_online boolean,
    cost_per_interaction numeric(18, 4)
);

create table if not exists programmes (
    programme_id text primary key,
    programme_name text,
    programme_type text
);

create table if not exists interactions (
    interaction_id text primary key,
    activity_type text not null,
    activity_subtype text,
    activity_reference text,
    occurred_at timestamp with time zone not null,
    customer_id text,
    channel_code text,
    campaign_id text,
    event_count bigint not null default 1,
    cost_amount numeric(18, 4),
    session_duration_mins double precision,
    pages_viewed bigint,
    products_viewed bigint,
    sentiment_score double precision,
    nps_score smallint,
    satisfaction_score double precision,
    referral_source text
);

create table if not exists assignments (
    assignment_id text primary key,
    customer_id text not null,
    action_code text not null,
    assigned_at timestamp with time zone not null,
    is_control boolean not null,
    control_share double precision,
    cost_amount numeric(18, 4),
    campaign_id text
);

create table if not exists leads (
    lead_id text primary key,
    customer_id text,
    channel_code text,
    campaign_id text,
    referrer_customer_id text,
    acquisition_source text,
    first_touchpoint text,
    created_at timestamp with time zone not null,
    first_contact_at timestamp with time zone,
    converted_at timestamp with time zone,
    touchpoints_count bigint,
    marketing_cost numeric(18, 4),
    sales_cost numeric(18, 4)
);

create index if not exists interactions_occurred_at on interactions (occurred_at);
create index if not exists assignments_assigned_at on assignments (assigned_at);
create index if not exists orders_ordered_at on orders (ordered_at);
create index if not exists returns_returned_at on returns (returned_at);
create index if not exists loyalty_movements_occurred_at on loyalty_movements (occurred_at);

comment on table customers is 'One row per customer.';
comment on column customers.created_at is 'When the customer was created; null: always included.';
comment on column customers.may_contact is
'Whether the customer may be sent offers; null: unknown. The column may be missing.';
comment on table products is 'One row per product.';
comment on column products.unit_cost is 'Cost of one unit, in the firm''s currency.';
comment on table orders is 'One row per order, basket or receipt.';
comment on column orders.customer_id is 'The buyer; null if anonymous.';
comment on column orders.status is '''cancelled'' rejects the order; every other status is a sale.';
comment on table order_lines is 'One row per line of an order.';
comment on column order_lines.gross_amount is 'Amount of the whole line, before discounts.';
comment on column order_lines.discount_amount is 'Discount granted by the firm on the whole line.';
comment on column order_lines.coupon_amount is 'Part of the net amount paid by a manufacturer''s coupon.';
comment on column order_lines.cost_amount is 'Cost of the whole line; null if unknown.';
comment on table returns is 'One row per return or credit note, with its own date.';
comment on column returns.order_id is 'The returned order, if known.';
comment on table return_lines is 'One row per line of a return; amounts are positive.';
comment on column return_lines.refund_amount is 'Refund for the whole line.';
comment on column return_lines.cost_amount is 'Cost of the returned goods; null if unknown.';
comment on table loyalty_movements is 'One row per earning or use of points.';
comment on table campaigns is 'One row per campaign.';
comment on column campaigns.created_at is 'When the campaign was created; null: always included.';
comment on table channels is
'One row per channel of acquisition, sales, service or messages.';
comment on table programmes is 'One row per loyalty programme.';
comment on table interactions is
'One row per event that is not a sale. Events do not change: closing a ticket is another event.';
comment on column interactions.activity_type is
'inquiry, complaint, ticket, feedback, nps, session, login, browse; for campaigns targeted, impression, '
'sent, opened, clicked, unsubscribed, redemption, conversion, spend.';
comment on column interactions.activity_subtype is
'Subtype: for a ticket its step, such as opened or closed; for nps the stage of the survey.';
comment on column interactions.activity_reference is 'Ticket, coupon or page of the event.';
comment on column interactions.customer_id is 'The customer; null if anonymous.';
comment on column interactions.event_count is
'Number of events that the row represents, such as a day''s impressions.';
comment on column interactions.sentiment_score is '-1 (bad) to 1 (good).';
comment on column interactions.nps_score is '0 to 10; null without an answer.';
comment on table assignments is
'One row per assignment of a customer to an action, or to its control group, made outside the plan.';
comment on column assignments.is_control is 'In the control group: does not get the action.';
comment on column assignments.control_share is 'Planned share of the control group, 0 to 1; null if unknown.';
comment on table leads is 'One row per person or company that may become or became a customer.';
comment on column leads.customer_id is 'The customer that the lead became.';
comment on column leads.marketing_cost is 'Marketing cost of the lead, converted or not.';

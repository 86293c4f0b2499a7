-- Actions that were assigned elsewhere, with their own control group; measured like those of the plan.

create table analytics.fact_assignment (
    firm_sk integer not null,
    order_date date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    campaign_sk integer,
    assignment_id text not null,
    action_code text not null check (action_code <> ''),
    occurred_at timestamptz not null,
    is_control boolean not null,
    control_share double precision check (control_share > 0 and control_share < 1),
    cost_amount numeric(18, 4) check (cost_amount >= 0 and cost_amount <> 'NaN')
) partition by list (firm_sk);

create index fact_assignment_order_date on analytics.fact_assignment (order_date);
create index fact_assignment_customer_sk on analytics.fact_assignment (customer_sk, order_date);

comment on table analytics.fact_assignment is
'One row per assignment of a customer to an action, or to its control group, that was made outside the plan.';
comment on column analytics.fact_assignment.date_sk is 'Row of dim_date for order_date.';
comment on column analytics.fact_assignment.campaign_sk is 'Row of dim_campaign; null of no campaign.';

-- The ledger of actions: what was decided for whom, and who was left alone to measure it by.

alter table control.firms add column actions jsonb;

comment on column control.firms.actions is 'Action settings: budget of a snapshot, share held out.';

create table analytics.fact_action (
    firm_sk integer not null,
    as_of date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    action_code text not null,
    cost_amount numeric(18, 4) not null check (cost_amount >= 0 and cost_amount <> 'NaN'),
    expected_benefit_amount numeric(18, 4) not null check (expected_benefit_amount <> 'NaN'),
    roi double precision,
    is_holdout boolean not null,
    is_chosen boolean not null check (not (is_chosen and is_holdout)),
    explanation text not null,
    manifest_token bigint not null,
    primary key (firm_sk, as_of, customer_sk)
) partition by list (firm_sk);

create index fact_action_date_sk on analytics.fact_action (date_sk);
create index fact_action_customer_sk on analytics.fact_action (customer_sk, as_of);
create index fact_action_action_code on analytics.fact_action (action_code, as_of);

comment on table analytics.fact_action is
'One row per customer, snapshot and the action decided for it: chosen, held out, or beyond the budget.';
comment on column analytics.fact_action.date_sk is 'Row of dim_date for as_of.';

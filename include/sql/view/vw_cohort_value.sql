-- vw_cohort_value: cumulative value per acquired customer, by group and month since the first purchase.
-- Grain: firm_key, attribute, member, months_since_acquisition. The function takes any as_of, the view each
-- firm's latest of sales. Amounts are those of fact_sales: within an attribute they sum to all sales less
-- returns of known customers. A value per customer uses the customers whose month has ended, so that younger
-- customers do not lower it. Margins are the source's where every line has one, else net spend times the
-- margin that the value model assumes; without either they are null.

create or replace function mart.cohort_value_from_facts(firm text, as_of date)
returns table (
    attribute text,
    member text,
    months_since_acquisition integer,
    customers bigint,
    net_amount numeric,
    cumulative_net_amount numeric,
    observed_customers bigint,
    value_per_customer numeric,
    cumulative_value_per_customer numeric,
    margin_amount numeric,
    margin_source text,
    cumulative_margin_per_customer numeric,
    customers_with_cost bigint,
    cost_per_customer numeric,
    cumulative_return_on_cost numeric,
    is_complete boolean
)
language sql
stable
as $$
with members as materialized (

    select
        cohort_group.attribute,
        cohort_group.member,
        cohort_group.customer_sk,
        cohort_group.cohort_month,
        (
            12 * extract(year from cohort_group.cohort_month) + extract(month from cohort_group.cohort_month)
        )::integer as first_month,
        cohort_group.acquisition_cost
    from mart.cohort_group(cohort_value_from_facts.firm, cohort_value_from_facts.as_of) as cohort_group

),

-- Months are counted from the year 0: date_sk is a day as yyyymmdd.
months_of_customers as (

    select
        fact_sales.customer_sk,
        12 * (fact_sales.date_sk / 10000) + fact_sales.date_sk / 100 % 100 as activity_month,
        sum(fact_sales.net_amount) as net_amount,
        sum(fact_sales.margin_amount) as margin_amount,
        count(*) filter (where fact_sales.margin_amount is null) as unknown_margins
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = cohort_value_from_facts.firm
        )
        and fact_sales.order_date < cohort_value_from_facts.as_of
    group by
        fact_sales.customer_sk,
        12 * (fact_sales.date_sk / 10000) + fact_sales.date_sk / 100 % 100

),

assumed as (

    select sum(fact_customer_ltv.total_historical_profit) / nullif(sum(fact_customer_ltv.total_historical_revenue), 0) as margin_share
    from analytics.dim_firm
    inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = cohort_value_from_facts.firm
        )
        and fact_customer_ltv.as_of = cohort_value_from_facts.as_of
        and fact_customer_ltv.margin_source = 'setting'

),

margins as (

    select
        assumed.margin_share,
        case
            when coalesce(sum(months_of_customers.unknown_margins), 1) = 0 then 'source'
            when assumed.margin_share is not null then 'setting'
        end as margin_source
    from assumed
    left join months_of_customers on true
    group by assumed.margin_share

),

cells as (

    select
        members.attribute,
        members.member,
        members.cohort_month,
        greatest(0, months_of_customers.activity_month - members.first_month) as months_since_acquisition,
        sum(months_of_customers.net_amount) as net_amount,
        sum(months_of_customers.net_amount) filter (where members.acquisition_cost is not null)
            as costed_net_amount,
        sum(months_of_customers.margin_amount) as margin_amount,
        sum(months_of_customers.margin_amount) filter (where members.acquisition_cost is not null)
            as costed_margin_amount
    from members
    inner join months_of_customers on members.customer_sk = months_of_customers.customer_sk
    group by
        members.attribute,
        members.member,
        members.cohort_month,
        months_since_acquisition

),

cohorts as (

    select
        members.attribute,
        members.member,
        members.cohort_month,
        count(*) as customers,
        count(members.acquisition_cost) as customers_with_cost,
        sum(members.acquisition_cost) as acquisition_cost
    from members
    group by
        members.attribute,
        members.member,
        members.cohort_month

),

months as (

    select
        cohorts.attribute,
        cohorts.member,
        cohorts.cohort_month,
        cohorts.customers,
        cohorts.customers_with_cost,
        months_since.number as months_since_acquisition,
        (cohorts.cohort_month + make_interval(months => months_since.number + 1))::date
        <= cohort_value_from_facts.as_of as is_complete
    from cohorts
    cross join lateral generate_series(
        0,
        (
            12 * (extract(year from cohort_value_from_facts.as_of - 1) - extract(year from cohorts.cohort_month))
            + extract(month from cohort_value_from_facts.as_of - 1) - extract(month from cohorts.cohort_month)
        )::integer
    ) as months_since (number)

),

summed as (

    select
        months.attribute,
        months.member,
        months.months_since_acquisition,
        sum(coalesce(cells.net_amount, 0)) as net_amount,
        sum(coalesce(cells.margin_amount, 0)) as margin_amount,
        coalesce(sum(months.customers) filter (where months.is_complete), 0)::bigint as observed_customers,
        sum(coalesce(cells.net_amount, 0)) filter (where months.is_complete) as observed_net_amount,
        sum(coalesce(cells.margin_amount, 0)) filter (where months.is_complete) as observed_margin_amount,
        coalesce(sum(months.customers_with_cost) filter (where months.is_complete), 0) as observed_costed,
        sum(coalesce(cells.costed_net_amount, 0)) filter (where months.is_complete) as costed_net_amount,
        sum(coalesce(cells.costed_margin_amount, 0)) filter (where months.is_complete)
            as costed_margin_amount,
        bool_and(months.is_complete) as is_complete
    from months
    left join cells
        on
            months.attribute = cells.attribute
            and months.member = cells.member
            and months.cohort_month = cells.cohort_month
            and months.months_since_acquisition = cells.months_since_acquisition
    group by
        months.attribute,
        months.member,
        months.months_since_acquisition

),

groups as (

    select
        cohorts.attribute,
        cohorts.member,
        sum(cohorts.customers)::bigint as customers,
        sum(cohorts.customers_with_cost)::bigint as customers_with_cost,
        sum(cohorts.acquisition_cost) / nullif(sum(cohorts.customers_with_cost), 0) as cost_per_customer
    from cohorts
    group by
        cohorts.attribute,
        cohorts.member

),

earned as (

    select
        summed.attribute,
        summed.member,
        summed.months_since_acquisition,
        summed.net_amount,
        summed.observed_customers,
        summed.is_complete,
        margins.margin_source,
        summed.observed_net_amount / nullif(summed.observed_customers, 0) as value_per_customer,
        case margins.margin_source
            when 'source' then summed.margin_amount
            when 'setting' then round(margins.margin_share * summed.net_amount, 4)
        end as margin_amount,
        case margins.margin_source
            when 'source' then summed.observed_margin_amount
            when 'setting' then margins.margin_share * summed.observed_net_amount
        end / nullif(summed.observed_customers, 0) as margin_per_customer,
        case margins.margin_source
            when 'source' then summed.costed_margin_amount
            when 'setting' then margins.margin_share * summed.costed_net_amount
        end / nullif(summed.observed_costed, 0) as margin_per_costed_customer
    from summed
    cross join margins

)

select
    earned.attribute,
    earned.member,
    earned.months_since_acquisition,
    groups.customers,
    earned.net_amount,
    sum(earned.net_amount) over so_far as cumulative_net_amount,
    earned.observed_customers,
    round(earned.value_per_customer, 2) as value_per_customer,
    case
        when earned.observed_customers > 0 then round(sum(earned.value_per_customer) over so_far, 2)
    end as cumulative_value_per_customer,
    earned.margin_amount,
    earned.margin_source,
    case
        when earned.observed_customers > 0 then round(sum(earned.margin_per_customer) over so_far, 2)
    end as cumulative_margin_per_customer,
    groups.customers_with_cost,
    round(groups.cost_per_customer, 2) as cost_per_customer,
    case
        when earned.margin_per_costed_customer is not null
            then round(sum(earned.margin_per_costed_customer) over so_far - groups.cost_per_customer, 2)
    end as cumulative_return_on_cost,
    earned.is_complete
from earned
inner join groups
    on
        earned.attribute = groups.attribute
        and earned.member = groups.member
window so_far as (
    partition by earned.attribute, earned.member order by earned.months_since_acquisition asc
)
$$;

create or replace function mart.cohort_value(firm text, as_of date)
returns table (
    attribute text,
    member text,
    months_since_acquisition integer,
    customers bigint,
    net_amount numeric,
    cumulative_net_amount numeric,
    observed_customers bigint,
    value_per_customer numeric,
    cumulative_value_per_customer numeric,
    margin_amount numeric,
    margin_source text,
    cumulative_margin_per_customer numeric,
    customers_with_cost bigint,
    cost_per_customer numeric,
    cumulative_return_on_cost numeric,
    is_complete boolean
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.attribute_name,
        kept.member,
        kept.months_since_acquisition,
        kept.customers,
        kept.net_amount,
        kept.cumulative_net_amount,
        kept.observed_customers,
        kept.value_per_customer,
        kept.cumulative_value_per_customer,
        kept.margin_amount,
        kept.margin_source,
        kept.cumulative_margin_per_customer,
        kept.customers_with_cost,
        kept.cost_per_customer,
        kept.cumulative_return_on_cost,
        kept.is_complete
    from analytics.dim_firm
    inner join analytics.summary_cohort_value as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = cohort_value.firm
        and kept.as_of = cohort_value.as_of;
    if
        not found
        and not analytics.has_summary('cohort_value', cohort_value.firm, cohort_value.as_of)
    then
        return query
        select made.*
        from
            mart.cohort_value_from_facts(
                cohort_value.firm, cohort_value.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_cohort_value
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    cohorts.*
from mart.vw_latest_snapshot
cross join lateral mart.cohort_value(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as cohorts
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.cohort_value_from_facts is
'Result of cohort_value computed from the facts, not read from the summary.';
comment on function mart.cohort_value is 'vw_cohort_value of one firm at any as_of.';
comment on view mart.vw_cohort_value is
'One row per firm, group of customers and month since the first purchase: value so far, and per customer.';
comment on column mart.vw_cohort_value.attribute is
'all, cohort_month, first_product, first_channel, acquisition_channel or first_discount.';
comment on column mart.vw_cohort_value.member is
'Group of the attribute: a month as 2026-11, a product, a channel, a range of discounts.';
comment on column mart.vw_cohort_value.months_since_acquisition is
'Calendar months since the month of the first purchase; 0 is that month.';
comment on column mart.vw_cohort_value.customers is 'Customers of the group.';
comment on column mart.vw_cohort_value.net_amount is
'Net spend of the group in these months of its customers: sales less returns, all of them.';
comment on column mart.vw_cohort_value.cumulative_net_amount is 'net_amount up to and with this month.';
comment on column mart.vw_cohort_value.observed_customers is
'Customers of the group for whom this month had ended at as_of.';
comment on column mart.vw_cohort_value.value_per_customer is
'Net spend per observed customer in this month; null if there is none.';
comment on column mart.vw_cohort_value.cumulative_value_per_customer is
'value_per_customer summed up to and with this month.';
comment on column mart.vw_cohort_value.margin_amount is 'Margin of net_amount; null if it is not known.';
comment on column mart.vw_cohort_value.margin_source is
'source: every sale has its margin; setting: the assumed margin of the value model; null: not known.';
comment on column mart.vw_cohort_value.cumulative_margin_per_customer is
'Margin per observed customer, summed up to and with this month.';
comment on column mart.vw_cohort_value.customers_with_cost is
'Customers of the group whose acquisition cost is known.';
comment on column mart.vw_cohort_value.cost_per_customer is
'Acquisition cost per customer with a known cost; null if there is none.';
comment on column mart.vw_cohort_value.cumulative_return_on_cost is
'Margin so far per customer with a known cost, less cost_per_customer; null without costs or margins.';
comment on column mart.vw_cohort_value.is_complete is
'False if the month had not ended at as_of for some of the customers.';

create or replace view mart.vw_cohort_value_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.attribute_name,
    kept.member,
    kept.months_since_acquisition,
    kept.customers,
    kept.net_amount,
    kept.cumulative_net_amount,
    kept.observed_customers,
    kept.value_per_customer,
    kept.cumulative_value_per_customer,
    kept.margin_amount,
    kept.margin_source,
    kept.cumulative_margin_per_customer,
    kept.customers_with_cost,
    kept.cost_per_customer,
    kept.cumulative_return_on_cost,
    kept.is_complete
from analytics.summary_cohort_value as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_cohort_value_history is
'vw_cohort_value of every stored snapshot: one row per as_of and row of that view.';
comment on column mart.vw_cohort_value_history.attribute_name is 'The column attribute of vw_cohort_value.';

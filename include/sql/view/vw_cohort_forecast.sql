-- vw_cohort_forecast: groups of customers so far, their month of break-even, next year's expected spend.
-- Grain: firm_key, attribute, member. The function takes any as_of, the view each firm's latest of sales.
-- The expectation and its 80 percent interval are the value model's own, of the same as_of: the half-width is
-- total_reach * sqrt(sum of variances + (total_doubt * sum of spend)^2), as of the firm's total in
-- firm_measures. Null where the value module is off, or knows nothing of a customer of the group.

create or replace function mart.cohort_forecast_from_facts(firm text, as_of date)
returns table (
    attribute text,
    member text,
    customers bigint,
    net_amount numeric,
    net_amount_per_customer numeric,
    margin_amount numeric,
    margin_source text,
    customers_with_cost bigint,
    cost_per_customer numeric,
    break_even_month integer,
    expected_spend_1_year numeric,
    expected_spend_1_year_low numeric,
    expected_spend_1_year_high numeric,
    expected_spend_per_customer numeric,
    predicted_clv_1_year numeric
)
language sql
stable
as $$
with so_far as (

    select
        cohort_value.attribute,
        cohort_value.member,
        max(cohort_value.customers) as customers,
        sum(cohort_value.net_amount) as net_amount,
        sum(cohort_value.margin_amount) as margin_amount,
        max(cohort_value.margin_source) as margin_source,
        max(cohort_value.customers_with_cost) as customers_with_cost,
        max(cohort_value.cost_per_customer) as cost_per_customer,
        min(cohort_value.months_since_acquisition) filter (
            where cohort_value.cumulative_return_on_cost >= 0
        ) as break_even_month
    from mart.cohort_value(cohort_forecast_from_facts.firm, cohort_forecast_from_facts.as_of) as cohort_value
    group by
        cohort_value.attribute,
        cohort_value.member

),

worth as (

    select
        fact_customer_ltv.customer_sk,
        fact_customer_ltv.expected_spend_1_year,
        fact_customer_ltv.predicted_clv_1_year,
        fact_customer_ltv.spend_deviation_1_year,
        fact_customer_ltv.total_doubt_1_year,
        fact_customer_ltv.total_reach
    from analytics.dim_firm
    inner join analytics.fact_customer_ltv on dim_firm.firm_sk = fact_customer_ltv.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = cohort_forecast_from_facts.firm
        )
        and fact_customer_ltv.as_of = cohort_forecast_from_facts.as_of

),

sums as (

    select
        cohort_group.attribute,
        cohort_group.member,
        case
            when count(*) = count(worth.expected_spend_1_year) then sum(worth.expected_spend_1_year)
        end as expected_spend,
        case
            when count(*) = count(worth.predicted_clv_1_year) then sum(worth.predicted_clv_1_year)
        end as expected_margin,
        case
            when count(*) = count(worth.spend_deviation_1_year)
                then
                    max(worth.total_reach) * sqrt(
                        sum(worth.spend_deviation_1_year ^ 2)
                        + (max(worth.total_doubt_1_year) * sum(worth.expected_spend_1_year)::double precision) ^ 2
                    )
        end as half_width
    from mart.cohort_group(cohort_forecast_from_facts.firm, cohort_forecast_from_facts.as_of) as cohort_group
    left join worth on cohort_group.customer_sk = worth.customer_sk
    where cohort_group.has_bought
    group by
        cohort_group.attribute,
        cohort_group.member

)

select
    so_far.attribute,
    so_far.member,
    so_far.customers,
    so_far.net_amount,
    round(so_far.net_amount / so_far.customers, 2) as net_amount_per_customer,
    so_far.margin_amount,
    so_far.margin_source,
    so_far.customers_with_cost,
    so_far.cost_per_customer,
    so_far.break_even_month,
    sums.expected_spend as expected_spend_1_year,
    case
        when sums.half_width > sums.expected_spend then 0
        else round(sums.expected_spend - sums.half_width::numeric, 4)
    end as expected_spend_1_year_low,
    round(sums.expected_spend + sums.half_width::numeric, 4) as expected_spend_1_year_high,
    round(sums.expected_spend / so_far.customers, 2) as expected_spend_per_customer,
    sums.expected_margin as predicted_clv_1_year
from so_far
left join sums
    on
        so_far.attribute = sums.attribute
        and so_far.member = sums.member
$$;

create or replace function mart.cohort_forecast(firm text, as_of date)
returns table (
    attribute text,
    member text,
    customers bigint,
    net_amount numeric,
    net_amount_per_customer numeric,
    margin_amount numeric,
    margin_source text,
    customers_with_cost bigint,
    cost_per_customer numeric,
    break_even_month integer,
    expected_spend_1_year numeric,
    expected_spend_1_year_low numeric,
    expected_spend_1_year_high numeric,
    expected_spend_per_customer numeric,
    predicted_clv_1_year numeric
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
        kept.customers,
        kept.net_amount,
        kept.net_amount_per_customer,
        kept.margin_amount,
        kept.margin_source,
        kept.customers_with_cost,
        kept.cost_per_customer,
        kept.break_even_month,
        kept.expected_spend_1_year,
        kept.expected_spend_1_year_low,
        kept.expected_spend_1_year_high,
        kept.expected_spend_per_customer,
        kept.predicted_clv_1_year
    from analytics.dim_firm
    inner join analytics.summary_cohort_forecast as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = cohort_forecast.firm
        and kept.as_of = cohort_forecast.as_of;
    if
        not found
        and not analytics.has_summary('cohort_forecast', cohort_forecast.firm, cohort_forecast.as_of)
    then
        return query
        select made.*
        from
            mart.cohort_forecast_from_facts(
                cohort_forecast.firm, cohort_forecast.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_cohort_forecast
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    cohorts.*
from mart.vw_latest_snapshot
cross join lateral mart.cohort_forecast(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as cohorts
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.cohort_forecast_from_facts is
'Result of cohort_forecast computed from the facts, not read from the summary.';
comment on function mart.cohort_forecast is 'vw_cohort_forecast of one firm at any as_of.';
comment on view mart.vw_cohort_forecast is
'One row per firm and group of customers: value so far, month of break-even, expected spend of next year.';
comment on column mart.vw_cohort_forecast.attribute is
'all, cohort_month, first_product, first_channel, acquisition_channel or first_discount.';
comment on column mart.vw_cohort_forecast.member is 'Group of the attribute; see vw_cohort_group.';
comment on column mart.vw_cohort_forecast.customers is 'Customers of the group.';
comment on column mart.vw_cohort_forecast.net_amount is 'Sales less returns so far.';
comment on column mart.vw_cohort_forecast.net_amount_per_customer is 'net_amount per customer.';
comment on column mart.vw_cohort_forecast.margin_amount is 'Margin of net_amount; null if it is not known.';
comment on column mart.vw_cohort_forecast.margin_source is
'source: every sale has its margin; setting: the assumed margin of the value model; null: not known.';
comment on column mart.vw_cohort_forecast.customers_with_cost is
'Customers whose acquisition cost is known: break_even_month is of them.';
comment on column mart.vw_cohort_forecast.cost_per_customer is
'Acquisition cost per customer with a known cost; null if there is none.';
comment on column mart.vw_cohort_forecast.break_even_month is
'First month since acquisition in which their margin so far covers cost_per_customer; null if not yet.';
comment on column mart.vw_cohort_forecast.expected_spend_1_year is
'Net spend expected of these customers in the next 365 days; null where the value module is off.';
comment on column mart.vw_cohort_forecast.expected_spend_1_year_low is
'Lower bound of the 80 percent interval of expected_spend_1_year.';
comment on column mart.vw_cohort_forecast.expected_spend_1_year_high is
'Upper bound of the 80 percent interval of expected_spend_1_year.';
comment on column mart.vw_cohort_forecast.expected_spend_per_customer is
'expected_spend_1_year per customer.';
comment on column mart.vw_cohort_forecast.predicted_clv_1_year is
'Discounted margin expected of these customers in the next 365 days.';

create or replace view mart.vw_cohort_forecast_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.attribute_name,
    kept.member,
    kept.customers,
    kept.net_amount,
    kept.net_amount_per_customer,
    kept.margin_amount,
    kept.margin_source,
    kept.customers_with_cost,
    kept.cost_per_customer,
    kept.break_even_month,
    kept.expected_spend_1_year,
    kept.expected_spend_1_year_low,
    kept.expected_spend_1_year_high,
    kept.expected_spend_per_customer,
    kept.predicted_clv_1_year
from analytics.summary_cohort_forecast as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_cohort_forecast_history is
'vw_cohort_forecast of every stored snapshot: one row per as_of and row of that view.';
comment on column mart.vw_cohort_forecast_history.attribute_name is
'The column attribute of vw_cohort_forecast.';

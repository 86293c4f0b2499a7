-- vw_cohort_member: the month, product, channel and discount of each customer's first purchase.
-- Grain: firm_key, customer_id. The function takes any as_of, the view each firm's latest of sales.
-- The first product is that of the largest amount on the day of the first purchase. A customer with returns
-- but no purchase has no first purchase; its month is that of the first return.

create or replace function mart.cohort_member_from_facts(firm text, as_of date)
returns table (
    customer_sk bigint,
    customer_id text,
    has_bought boolean,
    cohort_month date,
    first_order_date date,
    first_product_id text,
    first_product_name text,
    first_channel text,
    acquisition_channel text,
    first_discount text
)
language sql
stable
as $$
with firsts as (

    select
        dim_firm.firm_sk,
        fact_sales.customer_sk,
        min(fact_sales.order_date) filter (where fact_sales.kind = 'sale') as first_order_date,
        min(fact_sales.order_date) as first_date
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = cohort_member_from_facts.firm
        )
        and fact_sales.order_date < cohort_member_from_facts.as_of
    group by
        dim_firm.firm_sk,
        fact_sales.customer_sk

),

first_lines as (

    select
        firsts.customer_sk,
        sum(fact_sales.gross_amount) as gross_amount,
        sum(fact_sales.discount_amount) as discount_amount,
        (
            array_agg(
                fact_sales.product_sk
                order by fact_sales.net_amount desc, fact_sales.product_sk asc
            )
        )[1] as product_sk,
        (
            array_agg(
                fact_sales.channel order by fact_sales.net_amount desc, fact_sales.channel asc
            )
        )[1] as channel
    from firsts
    inner join analytics.fact_sales
        on
            firsts.firm_sk = fact_sales.firm_sk
            and firsts.customer_sk = fact_sales.customer_sk
            and firsts.first_order_date = fact_sales.order_date
    where fact_sales.kind = 'sale'
    group by firsts.customer_sk

)

select
    dim_customer.customer_sk,
    dim_customer.customer_id,
    firsts.first_order_date is not null as has_bought,
    date_trunc('month', coalesce(firsts.first_order_date, firsts.first_date))::date as cohort_month,
    firsts.first_order_date,
    case when not dim_product.is_unknown then dim_product.product_id end as first_product_id,
    case when not dim_product.is_unknown then coalesce(dim_product.product_name, dim_product.product_id) end
        as first_product_name,
    first_lines.channel as first_channel,
    dim_customer.acquisition_channel,
    case
        when first_lines.customer_sk is null then null
        when first_lines.discount_amount <= 0 then 'none'
        when first_lines.discount_amount <= 0.1 * first_lines.gross_amount then 'up to 10 %'
        when first_lines.discount_amount <= 0.25 * first_lines.gross_amount then '10 to 25 %'
        else 'above 25 %'
    end as first_discount
from firsts
inner join analytics.dim_customer on firsts.customer_sk = dim_customer.customer_sk
left join first_lines on firsts.customer_sk = first_lines.customer_sk
left join analytics.dim_product on first_lines.product_sk = dim_product.product_sk
where not dim_customer.is_anonymous
$$;

create or replace function mart.cohort_member(firm text, as_of date)
returns table (
    customer_sk bigint,
    customer_id text,
    has_bought boolean,
    cohort_month date,
    first_order_date date,
    first_product_id text,
    first_product_name text,
    first_channel text,
    acquisition_channel text,
    first_discount text
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.customer_sk,
        kept.customer_id,
        kept.has_bought,
        kept.cohort_month,
        kept.first_order_date,
        kept.first_product_id,
        kept.first_product_name,
        kept.first_channel,
        kept.acquisition_channel,
        kept.first_discount
    from analytics.dim_firm
    inner join analytics.summary_cohort_member as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = cohort_member.firm
        and kept.as_of = cohort_member.as_of;
    if
        not found
        and not analytics.has_summary('cohort_member', cohort_member.firm, cohort_member.as_of)
    then
        return query
        select made.*
        from
            mart.cohort_member_from_facts(
                cohort_member.firm, cohort_member.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_cohort_member
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    members.*
from mart.vw_latest_snapshot
cross join lateral mart.cohort_member(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as members
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.cohort_member_from_facts is
'Result of cohort_member computed from the facts, not read from the summary.';
comment on function mart.cohort_member is 'vw_cohort_member of one firm at any as_of.';
comment on view mart.vw_cohort_member is
'One row per customer: month, product, channel and discount of the first purchase.';
comment on column mart.vw_cohort_member.has_bought is 'False for a customer with returns and no purchase.';
comment on column mart.vw_cohort_member.cohort_month is
'First day of the month of the first purchase, or of the first return without a purchase.';
comment on column mart.vw_cohort_member.first_order_date is 'Day of the first purchase.';
comment on column mart.vw_cohort_member.first_product_id is
'Product of the largest amount on that day; null if the source names no product.';
comment on column mart.vw_cohort_member.first_product_name is 'Its name, or else its key.';
comment on column mart.vw_cohort_member.first_channel is 'Channel of the largest amount on that day.';
comment on column mart.vw_cohort_member.acquisition_channel is 'Channel of acquisition, from the customer.';
comment on column mart.vw_cohort_member.first_discount is
'Discounts of that day in percent of the amount before discounts: none, up to 10 %, 10 to 25 %, above 25 %.';

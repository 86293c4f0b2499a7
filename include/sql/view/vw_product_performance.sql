-- vw_product_performance: sales, buyers, repeat buyers and margin of each product.
-- Grain: firm_key, product_id. The function takes any as_of, the view each firm's latest of sales.

create or replace function mart.product_performance_from_facts(firm text, as_of date)
returns table (
    product_id text,
    product_name text,
    department text,
    category text,
    brand text,
    first_sale_date date,
    last_sale_date date,
    days_since_last_sale integer,
    order_count bigint,
    customer_count bigint,
    repeat_customer_count bigint,
    repeat_customer_pct numeric,
    units_sold numeric,
    units_returned numeric,
    return_pct numeric,
    discount_amount numeric,
    net_amount numeric,
    net_amount_365_days numeric,
    share_pct numeric,
    place_in_firm bigint,
    margin_amount numeric,
    margin_pct numeric
)
language sql
stable
as $$
with lines as (

    select
        fact_sales.product_sk,
        fact_sales.customer_sk,
        dim_customer.is_anonymous,
        fact_sales.order_date,
        fact_sales.transaction_id,
        fact_sales.kind = 'sale' as is_sale,
        fact_sales.quantity,
        fact_sales.discount_amount,
        fact_sales.net_amount,
        fact_sales.margin_amount,
        fact_sales.order_date >= product_performance_from_facts.as_of - 365 as is_of_year
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    inner join analytics.dim_customer on fact_sales.customer_sk = dim_customer.customer_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = product_performance_from_facts.firm
        )
        and fact_sales.order_date < product_performance_from_facts.as_of

),

buyers as (

    select
        buyer_days.product_sk,
        count(*) as customer_count,
        count(*) filter (where buyer_days.sale_days >= 2) as repeat_customer_count
    from (
        select
            days.product_sk,
            days.customer_sk,
            count(*) as sale_days
        from (
            select distinct
                lines.product_sk,
                lines.customer_sk,
                lines.order_date
            from lines
            where
                lines.is_sale
                and not lines.is_anonymous
        ) as days
        group by
            days.product_sk,
            days.customer_sk
    ) as buyer_days
    group by buyer_days.product_sk

),

orders as (

    select
        sold.product_sk,
        count(*) as order_count
    from (
        select distinct
            lines.product_sk,
            lines.transaction_id
        from lines
        where lines.is_sale
    ) as sold
    group by sold.product_sk

),

sums as (

    select
        lines.product_sk,
        min(lines.order_date) filter (where lines.is_sale) as first_sale_date,
        max(lines.order_date) filter (where lines.is_sale) as last_sale_date,
        coalesce(sum(lines.quantity) filter (where lines.is_sale), 0) as units_sold,
        coalesce(-sum(lines.quantity) filter (where not lines.is_sale), 0) as units_returned,
        sum(lines.discount_amount) as discount_amount,
        sum(lines.net_amount) as net_amount,
        coalesce(sum(lines.net_amount) filter (where lines.is_of_year), 0) as net_amount_365_days,
        sum(lines.margin_amount) as margin_amount,
        sum(lines.net_amount) filter (where lines.margin_amount is not null) as net_with_margin
    from lines
    group by lines.product_sk

)

select
    dim_product.product_id,
    dim_product.product_name,
    dim_product.department,
    dim_product.category,
    dim_product.brand,
    sums.first_sale_date,
    sums.last_sale_date,
    product_performance_from_facts.as_of - sums.last_sale_date as days_since_last_sale,
    coalesce(orders.order_count, 0) as order_count,
    coalesce(buyers.customer_count, 0) as customer_count,
    coalesce(buyers.repeat_customer_count, 0) as repeat_customer_count,
    round(100.0 * buyers.repeat_customer_count / nullif(buyers.customer_count, 0), 1) as repeat_customer_pct,
    sums.units_sold,
    sums.units_returned,
    round(100.0 * sums.units_returned / nullif(sums.units_sold, 0), 1) as return_pct,
    sums.discount_amount,
    sums.net_amount,
    sums.net_amount_365_days,
    round(
        100.0 * sums.net_amount_365_days / nullif(sum(sums.net_amount_365_days) over (), 0), 1
    ) as share_pct,
    rank() over (order by sums.net_amount_365_days desc) as place_in_firm,
    sums.margin_amount,
    round(100.0 * sums.margin_amount / nullif(sums.net_with_margin, 0), 1) as margin_pct
from sums
inner join analytics.dim_product on sums.product_sk = dim_product.product_sk
left join buyers on sums.product_sk = buyers.product_sk
left join orders on sums.product_sk = orders.product_sk
$$;

create or replace function mart.product_performance(firm text, as_of date)
returns table (
    product_id text,
    product_name text,
    department text,
    category text,
    brand text,
    first_sale_date date,
    last_sale_date date,
    days_since_last_sale integer,
    order_count bigint,
    customer_count bigint,
    repeat_customer_count bigint,
    repeat_customer_pct numeric,
    units_sold numeric,
    units_returned numeric,
    return_pct numeric,
    discount_amount numeric,
    net_amount numeric,
    net_amount_365_days numeric,
    share_pct numeric,
    place_in_firm bigint,
    margin_amount numeric,
    margin_pct numeric
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.product_id,
        kept.product_name,
        kept.department,
        kept.category,
        kept.brand,
        kept.first_sale_date,
        kept.last_sale_date,
        kept.days_since_last_sale,
        kept.order_count,
        kept.customer_count,
        kept.repeat_customer_count,
        kept.repeat_customer_pct,
        kept.units_sold,
        kept.units_returned,
        kept.return_pct,
        kept.discount_amount,
        kept.net_amount,
        kept.net_amount_365_days,
        kept.share_pct,
        kept.place_in_firm,
        kept.margin_amount,
        kept.margin_pct
    from analytics.dim_firm
    inner join analytics.summary_product_performance as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = product_performance.firm
        and kept.as_of = product_performance.as_of;
    if
        not found
        and not analytics.has_summary('product_performance', product_performance.firm, product_performance.as_of)
    then
        return query
        select made.*
        from
            mart.product_performance_from_facts(
                product_performance.firm, product_performance.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_product_performance
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    products.*
from mart.vw_latest_snapshot
cross join
    lateral mart.product_performance(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as products
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.product_performance_from_facts is
'Result of product_performance computed from the facts, not read from the summary.';
comment on function mart.product_performance is 'vw_product_performance of one firm at any as_of.';
comment on view mart.vw_product_performance is
'One row per firm and product ever sold, and one for lines without a product: sales, buyers and margin.';
comment on column mart.vw_product_performance.first_sale_date is 'Day of the first sale.';
comment on column mart.vw_product_performance.last_sale_date is 'Day of the last sale.';
comment on column mart.vw_product_performance.days_since_last_sale is 'Last sale to as_of, in days.';
comment on column mart.vw_product_performance.order_count is 'Orders with the product, lifetime.';
comment on column mart.vw_product_performance.customer_count is
'Known customers who bought the product, lifetime.';
comment on column mart.vw_product_performance.repeat_customer_count is
'Known customers who bought the product on at least two days.';
comment on column mart.vw_product_performance.repeat_customer_pct is
'repeat_customer_count in percent of customer_count.';
comment on column mart.vw_product_performance.units_sold is 'Units sold, lifetime, before returns.';
comment on column mart.vw_product_performance.units_returned is 'Units returned, lifetime.';
comment on column mart.vw_product_performance.return_pct is 'Units returned in percent of units sold.';
comment on column mart.vw_product_performance.discount_amount is 'Discounts, less those on returns.';
comment on column mart.vw_product_performance.net_amount is 'Net sales less returns, lifetime.';
comment on column mart.vw_product_performance.net_amount_365_days is
'Net sales less returns in the last 365 days.';
comment on column mart.vw_product_performance.share_pct is
'Share of the firm''s net sales in the last 365 days, in percent.';
comment on column mart.vw_product_performance.place_in_firm is
'Rank by net sales of the last 365 days; 1 is the highest, ties share a rank.';
comment on column mart.vw_product_performance.margin_amount is
'Margin less that of returns, lifetime, over lines with a known margin; null if there are none.';
comment on column mart.vw_product_performance.margin_pct is
'margin_amount in percent of net sales of the same lines.';

create or replace view mart.vw_product_performance_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.product_id,
    kept.product_name,
    kept.department,
    kept.category,
    kept.brand,
    kept.first_sale_date,
    kept.last_sale_date,
    kept.days_since_last_sale,
    kept.order_count,
    kept.customer_count,
    kept.repeat_customer_count,
    kept.repeat_customer_pct,
    kept.units_sold,
    kept.units_returned,
    kept.return_pct,
    kept.discount_amount,
    kept.net_amount,
    kept.net_amount_365_days,
    kept.share_pct,
    kept.place_in_firm,
    kept.margin_amount,
    kept.margin_pct
from analytics.summary_product_performance as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_product_performance_history is
'vw_product_performance of every stored snapshot: one row per as_of and row of that view.';

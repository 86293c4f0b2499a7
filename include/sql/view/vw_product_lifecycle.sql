-- vw_product_lifecycle: stage of each product: the last 90 days compared with the 90 days before.
-- Grain: firm_key, product_id. The function takes any as_of, the view each firm's latest of sales.
-- Stages, the first match: ended (no sale for 365 days), dormant (none for 90), unknown (the firm's own
-- sales do not reach back 180 days), introduction (first sale within 90 days), growth (units up by more than
-- a quarter), decline (down by more than a quarter), maturity. The firm's own change shows seasonality.

create or replace function mart.product_lifecycle_from_facts(firm text, as_of date)
returns table (
    product_id text,
    product_name text,
    category text,
    stage text,
    first_sale_date date,
    last_sale_date date,
    age_days integer,
    days_since_last_sale integer,
    units_90_days numeric,
    units_previous_90_days numeric,
    units_change_pct numeric,
    firm_units_change_pct numeric,
    net_amount_90_days numeric,
    net_amount_previous_90_days numeric,
    peak_month date,
    peak_month_units numeric
)
language sql
stable
as $$
with months as (

    select
        fact_sales.product_sk,
        date_trunc('month', fact_sales.order_date)::date as sale_month,
        min(fact_sales.order_date) as first_sale_date,
        max(fact_sales.order_date) as last_sale_date,
        sum(fact_sales.quantity) as units,
        coalesce(
            sum(fact_sales.quantity) filter (where fact_sales.order_date >= product_lifecycle_from_facts.as_of - 90), 0
        ) as units_90_days,
        coalesce(
            sum(fact_sales.quantity) filter (
                where
                    fact_sales.order_date >= product_lifecycle_from_facts.as_of - 180
                    and fact_sales.order_date < product_lifecycle_from_facts.as_of - 90
            ),
            0
        ) as units_previous_90_days,
        coalesce(
            sum(fact_sales.net_amount) filter (where fact_sales.order_date >= product_lifecycle_from_facts.as_of - 90), 0
        ) as net_amount_90_days,
        coalesce(
            sum(fact_sales.net_amount) filter (
                where
                    fact_sales.order_date >= product_lifecycle_from_facts.as_of - 180
                    and fact_sales.order_date < product_lifecycle_from_facts.as_of - 90
            ),
            0
        ) as net_amount_previous_90_days
    from analytics.dim_firm
    inner join analytics.fact_sales on dim_firm.firm_sk = fact_sales.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = product_lifecycle_from_facts.firm
        )
        and fact_sales.kind = 'sale'
        and fact_sales.order_date < product_lifecycle_from_facts.as_of
    group by
        fact_sales.product_sk,
        date_trunc('month', fact_sales.order_date)::date

),

products as (

    select
        months.product_sk,
        min(months.first_sale_date) as first_sale_date,
        max(months.last_sale_date) as last_sale_date,
        sum(months.units_90_days) as units_90_days,
        sum(months.units_previous_90_days) as units_previous_90_days,
        sum(months.net_amount_90_days) as net_amount_90_days,
        sum(months.net_amount_previous_90_days) as net_amount_previous_90_days,
        (array_agg(months.sale_month order by months.units desc, months.sale_month asc))[1] as peak_month,
        max(months.units) as peak_month_units
    from months
    group by months.product_sk

),

firm_wide as (

    select
        min(products.first_sale_date) as first_sale_date,
        round(
            100.0 * sum(products.units_90_days) / nullif(sum(products.units_previous_90_days), 0) - 100, 1
        ) as units_change_pct
    from products

)

select
    dim_product.product_id,
    dim_product.product_name,
    dim_product.category,
    case
        when products.last_sale_date < product_lifecycle_from_facts.as_of - 365 then 'ended'
        when products.last_sale_date < product_lifecycle_from_facts.as_of - 90 then 'dormant'
        when firm_wide.first_sale_date > product_lifecycle_from_facts.as_of - 180 then 'unknown'
        when products.first_sale_date >= product_lifecycle_from_facts.as_of - 90 then 'introduction'
        when products.units_90_days > 1.25 * products.units_previous_90_days then 'growth'
        when products.units_90_days < 0.75 * products.units_previous_90_days then 'decline'
        else 'maturity'
    end as stage,
    products.first_sale_date,
    products.last_sale_date,
    product_lifecycle_from_facts.as_of - products.first_sale_date as age_days,
    product_lifecycle_from_facts.as_of - products.last_sale_date as days_since_last_sale,
    products.units_90_days,
    products.units_previous_90_days,
    round(
        100.0 * products.units_90_days / nullif(products.units_previous_90_days, 0) - 100, 1
    ) as units_change_pct,
    firm_wide.units_change_pct as firm_units_change_pct,
    products.net_amount_90_days,
    products.net_amount_previous_90_days,
    products.peak_month,
    products.peak_month_units
from products
cross join firm_wide
inner join analytics.dim_product on products.product_sk = dim_product.product_sk
where not dim_product.is_unknown
$$;

create or replace function mart.product_lifecycle(firm text, as_of date)
returns table (
    product_id text,
    product_name text,
    category text,
    stage text,
    first_sale_date date,
    last_sale_date date,
    age_days integer,
    days_since_last_sale integer,
    units_90_days numeric,
    units_previous_90_days numeric,
    units_change_pct numeric,
    firm_units_change_pct numeric,
    net_amount_90_days numeric,
    net_amount_previous_90_days numeric,
    peak_month date,
    peak_month_units numeric
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
        kept.category,
        kept.stage_name,
        kept.first_sale_date,
        kept.last_sale_date,
        kept.age_days,
        kept.days_since_last_sale,
        kept.units_90_days,
        kept.units_previous_90_days,
        kept.units_change_pct,
        kept.firm_units_change_pct,
        kept.net_amount_90_days,
        kept.net_amount_previous_90_days,
        kept.peak_month,
        kept.peak_month_units
    from analytics.dim_firm
    inner join analytics.summary_product_lifecycle as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = product_lifecycle.firm
        and kept.as_of = product_lifecycle.as_of;
    if
        not found
        and not analytics.has_summary('product_lifecycle', product_lifecycle.firm, product_lifecycle.as_of)
    then
        return query
        select made.*
        from
            mart.product_lifecycle_from_facts(
                product_lifecycle.firm, product_lifecycle.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_product_lifecycle
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    products.*
from mart.vw_latest_snapshot
cross join lateral mart.product_lifecycle(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as products
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.product_lifecycle_from_facts is
'Result of product_lifecycle computed from the facts, not read from the summary.';
comment on function mart.product_lifecycle is 'vw_product_lifecycle of one firm at any as_of.';
comment on view mart.vw_product_lifecycle is
'One row per firm and product ever sold: stage, last 90 days and 90 days before, peak month.';
comment on column mart.vw_product_lifecycle.stage is
'First match of: ended (no sale for 365 days), dormant (none for 90), unknown (history under 180 days), '
'introduction (first sale within 90 days), growth or decline (units up or down by a quarter), maturity.';
comment on column mart.vw_product_lifecycle.first_sale_date is 'Day of the first sale.';
comment on column mart.vw_product_lifecycle.last_sale_date is 'Day of the last sale.';
comment on column mart.vw_product_lifecycle.age_days is 'First sale to as_of, in days.';
comment on column mart.vw_product_lifecycle.days_since_last_sale is 'Last sale to as_of, in days.';
comment on column mart.vw_product_lifecycle.units_90_days is
'Units sold in the last 90 days, before returns.';
comment on column mart.vw_product_lifecycle.units_previous_90_days is
'Units sold in the 90 days before those.';
comment on column mart.vw_product_lifecycle.units_change_pct is
'Change of units against the previous 90 days, in percent; null if none were sold then.';
comment on column mart.vw_product_lifecycle.firm_units_change_pct is
'The same for all products of the firm, to compare with seasonality.';
comment on column mart.vw_product_lifecycle.net_amount_90_days is
'Net sales in the last 90 days, before returns.';
comment on column mart.vw_product_lifecycle.net_amount_previous_90_days is
'Net sales in the 90 days before those, before returns.';
comment on column mart.vw_product_lifecycle.peak_month is 'First day of the month with the most units sold.';
comment on column mart.vw_product_lifecycle.peak_month_units is 'Units sold in that month.';

create or replace view mart.vw_product_lifecycle_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.product_id,
    kept.product_name,
    kept.category,
    kept.stage_name,
    kept.first_sale_date,
    kept.last_sale_date,
    kept.age_days,
    kept.days_since_last_sale,
    kept.units_90_days,
    kept.units_previous_90_days,
    kept.units_change_pct,
    kept.firm_units_change_pct,
    kept.net_amount_90_days,
    kept.net_amount_previous_90_days,
    kept.peak_month,
    kept.peak_month_units
from analytics.summary_product_lifecycle as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_product_lifecycle_history is
'vw_product_lifecycle of every stored snapshot: one row per as_of and row of that view.';
comment on column mart.vw_product_lifecycle_history.stage_name is 'The column stage of vw_product_lifecycle.';

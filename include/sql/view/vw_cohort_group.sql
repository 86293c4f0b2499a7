-- vw_cohort_group: the groups of customers whose value is followed, one row per customer and attribute.
-- Grain: firm_key, attribute, customer_id. The function takes any as_of, the view each firm's latest.
-- Attributes: all, cohort_month, first_product, first_channel, acquisition_channel, first_discount. Of first
-- products and channels the 20 with the most customers are groups; all others are one group, 'Other'.

create or replace function mart.cohort_group(firm text, as_of date)
returns table (
    attribute text,
    member text,
    customer_sk bigint,
    customer_id text,
    has_bought boolean,
    cohort_month date,
    acquisition_cost numeric
)
language sql
stable
as $$
with costs as (

    select
        fact_customer_acquisition.customer_sk,
        max(fact_customer_acquisition.acquisition_cost) as acquisition_cost
    from analytics.dim_firm
    inner join analytics.fact_customer_acquisition on dim_firm.firm_sk = fact_customer_acquisition.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = cohort_group.firm
        )
        and fact_customer_acquisition.as_of = cohort_group.as_of
        and fact_customer_acquisition.is_acquisition
    group by fact_customer_acquisition.customer_sk

),

placed as (

    select
        named.attribute,
        case when members.has_bought then coalesce(nullif(btrim(named.member), ''), 'Unknown') else 'No purchase' end
            as member,
        members.customer_sk,
        members.customer_id,
        members.has_bought,
        members.cohort_month
    from mart.cohort_member(cohort_group.firm, cohort_group.as_of) as members
    cross join lateral (
        values
        ('all', 'All customers'),
        ('cohort_month', to_char(members.cohort_month, 'YYYY-MM')),
        ('first_product', members.first_product_name),
        ('first_channel', members.first_channel),
        ('acquisition_channel', members.acquisition_channel),
        ('first_discount', members.first_discount)
    ) as named (attribute, member)

),

sizes as (

    select
        placed.attribute,
        placed.member,
        row_number() over (
            partition by placed.attribute order by count(*) desc, placed.member asc
        ) as place
    from placed
    where placed.attribute in ('first_product', 'first_channel', 'acquisition_channel')
    group by
        placed.attribute,
        placed.member

)

select
    placed.attribute,
    case when sizes.place > 20 and placed.has_bought then 'Other' else placed.member end as member,
    placed.customer_sk,
    placed.customer_id,
    placed.has_bought,
    placed.cohort_month,
    costs.acquisition_cost
from placed
left join sizes
    on
        placed.attribute = sizes.attribute
        and placed.member = sizes.member
left join costs on placed.customer_sk = costs.customer_sk
$$;

create or replace view mart.vw_cohort_group
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    members.*
from mart.vw_latest_snapshot
cross join lateral mart.cohort_group(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as members
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.cohort_group is 'vw_cohort_group of one firm at any as_of.';
comment on view mart.vw_cohort_group is
'One row per customer and attribute: the group in which vw_cohort_value follows the customer.';
comment on column mart.vw_cohort_group.attribute is
'all, cohort_month, first_product, first_channel, acquisition_channel or first_discount.';
comment on column mart.vw_cohort_group.member is
'Group: of a month as 2026-11; Unknown if the source has no value; Other for the smaller groups; No purchase '
'for customers with returns alone.';
comment on column mart.vw_cohort_group.has_bought is 'False for a customer with returns and no purchase.';
comment on column mart.vw_cohort_group.cohort_month is 'First day of the month of the first purchase.';
comment on column mart.vw_cohort_group.acquisition_cost is
'Marketing and sales cost of the customer''s leads at the same as_of; null if unknown.';

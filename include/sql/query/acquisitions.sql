-- acquisitions: one row per lead, converted or not, and per customer with a sale but no lead.
-- Grain: acquisition_id. Params: :as_of (exclusive).
-- One row acquires a customer: the earliest converted lead with no order before it, else the row without a
-- lead. Only that row has orders, spend and payback, so sums over rows count each customer once.

with days as (

    select
        customer_id,
        order_date,
        order_count,
        units,
        sale_amount,
        net_amount
    from customer_days
    where order_date < :as_of

),

first_days as (

    select
        customer_id,
        min(order_date) as first_order_date
    from days
    where order_count > 0
    group by customer_id

),

known_leads as (

    select
        leads.*,
        first_days.first_order_date,
        coalesce(
            leads.converted_date,
            case
                when first_days.first_order_date >= leads.created_date then first_days.first_order_date
            end
        ) as conversion_date
    from leads
    left join first_days on leads.customer_id = first_days.customer_id
    where leads.created_date < :as_of

),

-- A customer with an order before the lead was not acquired by it.
winning_leads as (

    select
        lead_id,
        customer_id
    from known_leads
    where
        customer_id is not null
        and conversion_date is not null
        and (first_order_date is null or first_order_date >= created_date)
    qualify
        row_number() over (
            partition by customer_id
            order by
                created_date asc,
                lead_id asc
        ) = 1

),

entries as (

    select
        'lead ' || known_leads.lead_id as acquisition_id,
        known_leads.lead_id,
        known_leads.customer_id,
        known_leads.channel_code,
        known_leads.campaign_id,
        known_leads.referrer_customer_id,
        known_leads.acquisition_source,
        known_leads.first_touchpoint,
        known_leads.created_date as lead_created_date,
        known_leads.first_contact_date,
        known_leads.conversion_date,
        known_leads.touchpoints_count,
        known_leads.marketing_cost,
        known_leads.sales_cost,
        winning_leads.lead_id is not null as is_acquisition,
        case
            when winning_leads.lead_id is not null
                then
                    least(
                        coalesce(known_leads.first_order_date, known_leads.conversion_date),
                        known_leads.conversion_date
                    )
        end as acquired_date,
        case when winning_leads.lead_id is not null then known_leads.first_order_date end as first_order_date
    from known_leads
    left join winning_leads on known_leads.lead_id = winning_leads.lead_id

    union all

    select
        'customer ' || first_days.customer_id as acquisition_id,
        cast(null as varchar) as lead_id,
        first_days.customer_id,
        customers.acquisition_channel as channel_code,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as referrer_customer_id,
        cast(null as varchar) as acquisition_source,
        cast(null as varchar) as first_touchpoint,
        cast(null as date) as lead_created_date,
        cast(null as date) as first_contact_date,
        cast(null as date) as conversion_date,
        cast(null as bigint) as touchpoints_count,
        cast(null as decimal(18, 4)) as marketing_cost,
        cast(null as decimal(18, 4)) as sales_cost,
        true as is_acquisition,
        first_days.first_order_date as acquired_date,
        first_days.first_order_date
    from first_days
    left join customers on first_days.customer_id = customers.customer_id
    left join winning_leads on first_days.customer_id = winning_leads.customer_id
    where winning_leads.customer_id is null

),

costed as (

    select
        entries.*,
        case
            when entries.marketing_cost is not null or entries.sales_cost is not null
                then
                    cast(coalesce(entries.marketing_cost, 0) as decimal(38, 4))
                    + coalesce(entries.sales_cost, 0)
        end as acquisition_cost
    from entries

),

spending as (

    select
        costed.acquisition_id,
        costed.acquisition_cost,
        days.order_count,
        days.net_amount,
        date_diff('day', costed.acquired_date, days.order_date) as days_since,
        sum(days.net_amount) over (
            partition by costed.acquisition_id
            order by days.order_date
        ) as net_so_far
    from costed
    inner join days
        on
            costed.customer_id = days.customer_id
            and costed.acquired_date <= days.order_date
    where costed.is_acquisition

),

early_orders as (

    select
        acquisition_id,
        sum(case when days_since < 30 then net_amount else 0 end) as revenue_30,
        sum(case when days_since < 90 then net_amount else 0 end) as revenue_90,
        sum(case when days_since < 365 then net_amount else 0 end) as revenue_365,
        sum(case when days_since < 365 then order_count else 0 end) as orders_365,
        min(case when net_so_far >= acquisition_cost then days_since end) as payback_days
    from spending
    group by acquisition_id

),

aged as (

    select
        costed.*,
        date_diff('day', costed.acquired_date, cast(:as_of as date)) as age_days
    from costed

)

select
    aged.acquisition_id,
    aged.lead_id,
    aged.customer_id,
    aged.channel_code,
    aged.campaign_id,
    aged.referrer_customer_id,
    aged.acquisition_source,
    aged.first_touchpoint,
    aged.lead_created_date,
    aged.first_contact_date,
    aged.conversion_date,
    aged.touchpoints_count,
    aged.is_acquisition,
    aged.acquired_date,
    aged.first_order_date,
    aged.acquisition_cost,
    aged.marketing_cost as marketing_cost_attributed,
    aged.sales_cost as sales_cost_attributed,
    first_buys.sale_amount as first_order_value,
    first_buys.units as first_order_items,
    early_orders.payback_days as cac_payback_days,
    date_diff('day', aged.lead_created_date, aged.conversion_date) as days_to_convert,
    date_diff('day', aged.lead_created_date, aged.first_order_date) as days_to_first_order,
    case when aged.age_days >= 30 then coalesce(early_orders.revenue_30, 0) end as revenue_30_days,
    case when aged.age_days >= 90 then coalesce(early_orders.revenue_90, 0) end as revenue_90_days,
    case when aged.age_days >= 365 then coalesce(early_orders.revenue_365, 0) end as revenue_365_days,
    case when aged.age_days >= 365 then coalesce(early_orders.orders_365, 0) end as orders_365_days
from aged
left join early_orders on aged.acquisition_id = early_orders.acquisition_id
left join days as first_buys
    on
        aged.customer_id = first_buys.customer_id
        and aged.first_order_date = first_buys.order_date
order by aged.acquisition_id

-- leads: one row per lead created before as_of, without its events on or after as_of.
-- Grain: lead_id. Params: :as_of_start (an instant, exclusive), :earliest, :latest, :timezone.

with known_leads as (

    select
        lead_id,
        customer_id,
        channel_code,
        campaign_id,
        referrer_customer_id,
        acquisition_source,
        first_touchpoint,
        touchpoints_count,
        marketing_cost,
        sales_cost,
        cast(created_at as text) as written_at,
        case
            when created_at >= :earliest and created_at < :latest
                then cast(created_at at time zone :timezone as date)
        end as created_date,
        case
            when first_contact_at >= :earliest and first_contact_at < :as_of_start
                then cast(first_contact_at at time zone :timezone as date)
        end as first_contact_date,
        case
            when converted_at >= :earliest and converted_at < :as_of_start
                then cast(converted_at at time zone :timezone as date)
        end as converted_date,
        coalesce(converted_at >= :as_of_start, false) as converts_later
    from leads
    where
        created_at < :as_of_start
        or created_at >= :latest
        or created_at is null

),

-- NaN is greater than every number, so the range test rejects it, like infinity.
judged as (

    select
        known_leads.*,
        case
            when coalesce(cast(known_leads.lead_id as text), '') = '' then 'missing_id'
            when known_leads.created_date is null then 'bad_date'
            when
                not (
                    abs(coalesce(known_leads.marketing_cost, 0)) < 1e14
                    and abs(coalesce(known_leads.sales_cost, 0)) < 1e14
                    and abs(coalesce(known_leads.touchpoints_count, 0)) < 1e14
                )
                then 'bad_number'
            when
                known_leads.marketing_cost < 0
                or known_leads.sales_cost < 0
                or known_leads.touchpoints_count < 0
                then 'negative_amount'
            when known_leads.converted_date < known_leads.created_date then 'converted_before_created'
        end as rejected_reason
    from known_leads

)

select
    cast(judged.lead_id as text) as lead_id,
    judged.rejected_reason,
    judged.created_date,
    judged.first_contact_date,
    judged.converted_date,
    nullif(cast(judged.channel_code as text), '') as channel_code,
    nullif(cast(judged.campaign_id as text), '') as campaign_id,
    nullif(cast(judged.referrer_customer_id as text), '') as referrer_customer_id,
    nullif(judged.acquisition_source, '') as acquisition_source,
    nullif(judged.first_touchpoint, '') as first_touchpoint,
    case when not judged.converts_later then nullif(cast(judged.customer_id as text), '') end
        as customer_id,
    case when abs(judged.touchpoints_count) < 1e14 then cast(judged.touchpoints_count as bigint) end
        as touchpoints_count,
    case when abs(judged.marketing_cost) < 1e14 then cast(round(judged.marketing_cost, 4) as text) end
        as marketing_cost,
    case when abs(judged.sales_cost) < 1e14 then cast(round(judged.sales_cost, 4) as text) end
        as sales_cost,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

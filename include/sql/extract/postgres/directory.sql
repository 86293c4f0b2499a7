-- directory: one row per campaign, channel and loyalty programme (reference data) created before as_of.
-- Grain: kind, code. Params: :as_of_start (an instant, exclusive), :latest.
-- Only campaigns have a creation date; channels and programmes are always included, and so is a campaign
-- with an impossible creation date.

with entries as (

    select
        'campaign' as kind,
        cast(campaign_id as text) as code,
        campaign_name as entry_name,
        campaign_type as entry_type,
        cast(null as text) as category,
        cast(channel_code as text) as channel_code,
        cast(target_segment_code as text) as target_segment_code,
        start_date,
        end_date,
        budget_amount,
        status,
        cast(null as boolean) as is_online,
        cast(null as numeric) as cost_per_interaction
    from campaigns
    where
        created_at < :as_of_start
        or created_at >= :latest
        or created_at is null

    union all

    select
        'channel' as kind,
        cast(channel_code as text) as code,
        channel_name as entry_name,
        channel_type as entry_type,
        channel_category as category,
        cast(null as text) as channel_code,
        cast(null as text) as target_segment_code,
        cast(null as date) as start_date,
        cast(null as date) as end_date,
        cast(null as numeric) as budget_amount,
        cast(null as text) as status,
        is_online,
        cost_per_interaction
    from channels

    union all

    select
        'programme' as kind,
        cast(programme_id as text) as code,
        programme_name as entry_name,
        programme_type as entry_type,
        cast(null as text) as category,
        cast(null as text) as channel_code,
        cast(null as text) as target_segment_code,
        cast(null as date) as start_date,
        cast(null as date) as end_date,
        cast(null as numeric) as budget_amount,
        cast(null as text) as status,
        cast(null as boolean) as is_online,
        cast(null as numeric) as cost_per_interaction
    from programmes

),

-- NaN is greater than every number, so the range test rejects it, like infinity.
judged as (

    select
        entries.*,
        case
            when coalesce(entries.code, '') = '' then 'missing_id'
            when
                not (
                    abs(coalesce(entries.budget_amount, 0)) < 1e14
                    and abs(coalesce(entries.cost_per_interaction, 0)) < 1e14
                )
                then 'bad_number'
            when entries.budget_amount < 0 or entries.cost_per_interaction < 0 then 'negative_amount'
            when
                not coalesce(entries.start_date, date '2000-01-01')
                between date '1990-01-01' and date '2100-12-31'
                or not coalesce(entries.end_date, date '2000-01-01')
                between date '1990-01-01' and date '2100-12-31'
                then 'bad_date'
            when entries.end_date < entries.start_date then 'ends_before_start'
        end as rejected_reason
    from entries

)

select
    judged.kind,
    judged.code,
    judged.status,
    judged.is_online,
    judged.rejected_reason,
    nullif(judged.entry_name, '') as entry_name,
    nullif(judged.entry_type, '') as entry_type,
    nullif(judged.category, '') as category,
    nullif(judged.channel_code, '') as channel_code,
    nullif(judged.target_segment_code, '') as target_segment_code,
    case when judged.rejected_reason is null then judged.start_date end as start_date,
    case when judged.rejected_reason is null then judged.end_date end as end_date,
    case when abs(judged.budget_amount) < 1e14 then cast(round(judged.budget_amount, 4) as text) end
        as budget_amount,
    case
        when abs(judged.cost_per_interaction) < 1e14
            then cast(round(judged.cost_per_interaction, 4) as text)
    end as cost_per_interaction,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

-- dim_campaign, dim_interaction_channel and dim_program: missing entries, and reserved codes.
-- Params: :firm_sk.

with known as (

    select
        'campaign' as kind,
        dim_campaign.campaign_id as code
    from analytics.dim_campaign
    where dim_campaign.firm_sk = :firm_sk

    union all

    select
        'channel' as kind,
        dim_interaction_channel.channel_code as code
    from analytics.dim_interaction_channel
    where dim_interaction_channel.firm_sk = :firm_sk

    union all

    select
        'programme' as kind,
        dim_program.programme_id as code
    from analytics.dim_program
    where dim_program.firm_sk = :firm_sk

)

select
    'entry missing from its dimension' as fault,
    stg_directory.kind || ' ' || stg_directory.code as sample
from pg_temp.stg_directory
left join known
    on
        stg_directory.kind = known.kind
        and stg_directory.code = known.code
where known.code is null

union all

select
    'blank code, or the code reserved for unknown' as fault,
    stg_directory.kind || ' ' || to_json(stg_directory.code)::text as sample
from pg_temp.stg_directory
where
    btrim(stg_directory.code) = ''
    or stg_directory.code = '(unknown)';

-- dim_campaign, dim_interaction_channel and dim_program: one row per entry of the firm's directory, with the
-- attributes of the latest snapshot that has it. One that has left the directory stays, inactive.
-- Grain: campaign_id; channel_code; programme_id. Params: :firm_sk, :as_of.

select analytics.add_campaigns(
    :firm_sk,
    array(
        select stg_directory.code
        from pg_temp.stg_directory
        where stg_directory.kind = 'campaign'
    )
) as added;

update analytics.dim_campaign
set
    campaign_name = stg_directory.entry_name,
    campaign_type = stg_directory.entry_type,
    campaign_channel = stg_directory.channel_code,
    target_segment_code = stg_directory.target_segment_code,
    start_date = stg_directory.start_date,
    end_date = stg_directory.end_date,
    budget_amount = stg_directory.budget_amount,
    status = stg_directory.status,
    as_of = :as_of
from pg_temp.stg_directory
where
    dim_campaign.firm_sk = :firm_sk
    and stg_directory.kind = 'campaign'
    and dim_campaign.campaign_id = stg_directory.code
    and (
        dim_campaign.as_of is null
        or dim_campaign.as_of <= :as_of
    )
    and (
        dim_campaign.as_of,
        dim_campaign.campaign_name,
        dim_campaign.campaign_type,
        dim_campaign.campaign_channel,
        dim_campaign.target_segment_code,
        dim_campaign.start_date,
        dim_campaign.end_date,
        dim_campaign.budget_amount,
        dim_campaign.status
    ) is distinct from (
        :as_of,
        stg_directory.entry_name,
        stg_directory.entry_type,
        stg_directory.channel_code,
        stg_directory.target_segment_code,
        stg_directory.start_date,
        stg_directory.end_date,
        stg_directory.budget_amount,
        stg_directory.status
    );

update analytics.dim_campaign
set is_active = latest.as_of is not distinct from dim_campaign.as_of
from (
    select greatest(control.latest_load(:firm_sk, 'dim_campaign'), :as_of) as as_of
) as latest
where
    dim_campaign.firm_sk = :firm_sk
    and dim_campaign.is_active <> (latest.as_of is not distinct from dim_campaign.as_of);

select analytics.add_channels(
    :firm_sk,
    array(
        select stg_directory.code
        from pg_temp.stg_directory
        where stg_directory.kind = 'channel'
    )
) as added;

update analytics.dim_interaction_channel
set
    channel_name = stg_directory.entry_name,
    channel_type = stg_directory.entry_type,
    channel_category = stg_directory.category,
    is_online = stg_directory.is_online,
    cost_per_interaction = stg_directory.cost_per_interaction,
    as_of = :as_of
from pg_temp.stg_directory
where
    dim_interaction_channel.firm_sk = :firm_sk
    and stg_directory.kind = 'channel'
    and dim_interaction_channel.channel_code = stg_directory.code
    and (
        dim_interaction_channel.as_of is null
        or dim_interaction_channel.as_of <= :as_of
    )
    and (
        dim_interaction_channel.as_of,
        dim_interaction_channel.channel_name,
        dim_interaction_channel.channel_type,
        dim_interaction_channel.channel_category,
        dim_interaction_channel.is_online,
        dim_interaction_channel.cost_per_interaction
    ) is distinct from (
        :as_of,
        stg_directory.entry_name,
        stg_directory.entry_type,
        stg_directory.category,
        stg_directory.is_online,
        stg_directory.cost_per_interaction
    );

update analytics.dim_interaction_channel
set is_active = latest.as_of is not distinct from dim_interaction_channel.as_of
from (
    select greatest(control.latest_load(:firm_sk, 'dim_campaign'), :as_of) as as_of
) as latest
where
    dim_interaction_channel.firm_sk = :firm_sk
    and dim_interaction_channel.is_active
    <> (latest.as_of is not distinct from dim_interaction_channel.as_of);

select analytics.add_programmes(
    :firm_sk,
    array(
        select stg_directory.code
        from pg_temp.stg_directory
        where stg_directory.kind = 'programme'
    )
) as added;

update analytics.dim_program
set
    program_name = stg_directory.entry_name,
    program_type = stg_directory.entry_type,
    as_of = :as_of
from pg_temp.stg_directory
where
    dim_program.firm_sk = :firm_sk
    and stg_directory.kind = 'programme'
    and dim_program.programme_id = stg_directory.code
    and (
        dim_program.as_of is null
        or dim_program.as_of <= :as_of
    )
    and (
        dim_program.as_of,
        dim_program.program_name,
        dim_program.program_type
    ) is distinct from (
        :as_of,
        stg_directory.entry_name,
        stg_directory.entry_type
    );

update analytics.dim_program
set is_active = latest.as_of is not distinct from dim_program.as_of
from (
    select greatest(control.latest_load(:firm_sk, 'dim_campaign'), :as_of) as as_of
) as latest
where
    dim_program.firm_sk = :firm_sk
    and dim_program.is_active <> (latest.as_of is not distinct from dim_program.as_of);

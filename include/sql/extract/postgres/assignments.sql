-- assignments: one row per assignment of a customer to an action, unusable ones with their reason.
-- Grain: assignment_id.
-- Params: :month_start, :month_end, :as_of_start (instants; ends are exclusive), :earliest, :latest,
-- :timezone, :takes_undated (this month also yields assignments without a usable date).

with assigned as (

    select
        assignment_id,
        customer_id,
        action_code,
        campaign_id,
        is_control,
        control_share,
        cost_amount,
        cast(assigned_at as text) as written_at,
        case when assigned_at >= :earliest and assigned_at < :latest then assigned_at end as occurred_at
    from assignments
    where
        (assigned_at >= :month_start and assigned_at < :month_end and assigned_at < :as_of_start)
        or (:takes_undated and (assigned_at is null or assigned_at < :earliest or assigned_at >= :latest))

),

judged as (

    select
        assigned.*,
        case
            when assigned.occurred_at is null then 'bad_date'
            when coalesce(cast(assigned.assignment_id as text), '') = '' then 'missing_id'
            when coalesce(cast(assigned.customer_id as text), '') = '' then 'missing_customer'
            when coalesce(cast(assigned.action_code as text), '') = '' then 'unknown_type'
            when assigned.is_control is null then 'missing_group'
            when not abs(coalesce(assigned.cost_amount, 0)) < 1e14 then 'bad_number'
            when assigned.cost_amount < 0 then 'negative_amount'
            when not (assigned.control_share > 0 and assigned.control_share < 1) then 'bad_number'
        end as rejected_reason
    from assigned

)

select
    cast(judged.assignment_id as text) as assignment_id,
    judged.occurred_at,
    judged.is_control,
    judged.rejected_reason,
    cast(judged.control_share as double precision) as control_share,
    cast(judged.occurred_at at time zone :timezone as date) as order_date,
    nullif(cast(judged.customer_id as text), '') as customer_id,
    nullif(cast(judged.action_code as text), '') as action_code,
    nullif(cast(judged.campaign_id as text), '') as campaign_id,
    case when abs(judged.cost_amount) < 1e14 then cast(round(judged.cost_amount, 4) as text) end
        as cost_amount,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

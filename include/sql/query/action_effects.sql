-- action_effects: effect of each action on the margin of a completed quarter, against its random holdout.
-- Grain: action_code, quarter_start. Params: :as_of (exclusive), :margin_share (where the source has none).
-- Reads past_actions: the last snapshot of each earlier quarter, which has all decisions of its quarter.
-- A customer counts from the day of its decision to the end of the quarter (intention to treat). The effect
-- is adjusted by the margin of the 365 days before, as in vw_action_effect.

with margins as (

    select
        customer_id,
        order_date,
        coalesce(cast(margin_amount as double), cast(net_amount as double) * :margin_share) as margin
    from customer_days

),

entries as (

    select
        action_code,
        customer_id,
        decided_date,
        cast(value_at_stake as double) as value_at_stake,
        cast(date_trunc('quarter', decided_date) as date) as quarter_start,
        cast(date_trunc('quarter', decided_date) + interval 3 month as date) as quarter_end,
        arm = 'holdout' as is_held_out
    from past_actions
    where
        decided_date is not null
        and arm in ('action', 'holdout')
        and date_trunc('quarter', decided_date) < date_trunc('quarter', cast(:as_of as date))

),

outcomes as (

    select
        entries.action_code,
        entries.quarter_start,
        entries.customer_id,
        entries.is_held_out,
        entries.value_at_stake,
        coalesce(sum(margins.margin) filter (where margins.order_date >= entries.decided_date), 0) as margin,
        coalesce(sum(margins.margin) filter (where margins.order_date < entries.decided_date), 0)
            as margin_before
    from entries
    left join margins
        on
            entries.customer_id = margins.customer_id
            and entries.decided_date - 365 <= margins.order_date
            and entries.quarter_end > margins.order_date
    group by
        entries.action_code,
        entries.quarter_start,
        entries.customer_id,
        entries.is_held_out,
        entries.value_at_stake

),

slopes as (

    select
        action_code,
        quarter_start,
        avg(margin_before) as mean_before,
        case
            when var_pop(margin_before) > 0 then covar_pop(margin, margin_before) / var_pop(margin_before)
            else 0
        end as slope
    from outcomes
    group by
        action_code,
        quarter_start

),

adjusted as (

    select
        outcomes.action_code,
        outcomes.quarter_start,
        outcomes.is_held_out,
        outcomes.value_at_stake,
        outcomes.margin - slopes.slope * (outcomes.margin_before - slopes.mean_before) as margin
    from outcomes
    inner join slopes
        on outcomes.action_code = slopes.action_code and outcomes.quarter_start = slopes.quarter_start

)

select
    action_code,
    quarter_start,
    count(*) filter (where not is_held_out) as treated_customers,
    count(*) filter (where is_held_out) as held_out_customers,
    avg(value_at_stake) as avg_value_at_stake,
    avg(margin) filter (where not is_held_out) - avg(margin) filter (where is_held_out) as margin_effect,
    case
        when count(*) filter (where not is_held_out) > 1 and count(*) filter (where is_held_out) > 1
            then sqrt(
                var_samp(margin) filter (where not is_held_out) / count(*) filter (where not is_held_out)
                + var_samp(margin) filter (where is_held_out) / count(*) filter (where is_held_out)
            )
    end as standard_error
from adjusted
group by
    action_code,
    quarter_start
order by
    action_code,
    quarter_start

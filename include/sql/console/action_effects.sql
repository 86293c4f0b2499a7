-- action_effects: what each action achieved in a quarter, measured against its holdout.
-- Grain: action_code, quarter_start. Params: :firm_key.

select
    shown.as_of,
    shown.action_code,
    shown.quarter_start,
    shown.treated_customers,
    shown.held_out_customers,
    shown.treated_order_pct,
    shown.held_out_order_pct,
    shown.order_effect_pct,
    shown.order_effect_low_pct,
    shown.order_effect_high_pct,
    shown.treated_avg_spend,
    shown.held_out_avg_spend,
    shown.spend_effect,
    shown.spend_effect_low,
    shown.spend_effect_high,
    shown.is_beyond_chance,
    shown.cost_amount,
    shown.incremental_spend,
    shown.is_split_as_planned
from mart.vw_action_effect as shown
where shown.firm_key = :firm_key
order by
    shown.quarter_start desc,
    shown.action_code asc;

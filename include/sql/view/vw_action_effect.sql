-- vw_action_effect: effect of each action in a completed quarter, measured against a random group.
-- Grain: firm_key, origin, action_code, compared_with, quarter_start. The function takes any as_of, the view
-- the latest sales'. Origin 'plan': decisions of the plan, compared with the holdout and, if there is one,
-- with business as usual. Origin 'elsewhere': assignments made outside the plan, compared with their own
-- control.
-- A customer enters on the first day of the quarter, and stays in that group (intention to treat); both
-- groups are followed from that day to the quarter's end. Intervals are 95 % (include/models/uplift.py):
-- Newcombe's for shares, normal for amounts; null if a group has fewer than 30 customers. In
-- larger groups the effect on spend is adjusted by each customer's spend of the 365 days before entry
-- (CUPED: Deng et al. 2013, "Improving the sensitivity of online controlled experiments").
-- The action 'all_actions' pools the plan: a customer enters it with its first action of the quarter.

create or replace function mart.action_effect_from_facts(firm text, as_of date)
returns table (
    action_code text,
    quarter_start date,
    treated_customers bigint,
    held_out_customers bigint,
    treated_order_pct numeric,
    held_out_order_pct numeric,
    order_effect_pct numeric,
    order_effect_low_pct numeric,
    order_effect_high_pct numeric,
    treated_avg_spend numeric,
    held_out_avg_spend numeric,
    spend_effect numeric,
    spend_effect_low numeric,
    spend_effect_high numeric,
    is_beyond_chance boolean,
    cost_amount numeric,
    incremental_spend numeric,
    is_split_as_planned boolean,
    origin text,
    compared_with text
)
language sql
stable
as $$
with decisions as (

    select
        'plan' as origin,
        fact_action.firm_sk,
        fact_action.customer_sk,
        fact_action.action_code,
        fact_action.cost_amount,
        coalesce(fact_action.decided_date, fact_action.as_of) as decided_on,
        -- Decisions of earlier versions have no group.
        coalesce(
            fact_action.arm,
            case when fact_action.is_holdout then 'holdout' when fact_action.is_chosen then 'action' end
        ) as arm,
        -- The planned share of each group among its customers and the treated.
        fact_action.holdout_share / nullif(1 - coalesce(fact_action.usual_share, 0), 0) as holdout_share,
        fact_action.usual_share / nullif(1 - fact_action.holdout_share, 0) as usual_share
    from analytics.dim_firm
    inner join analytics.fact_action on dim_firm.firm_sk = fact_action.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = action_effect_from_facts.firm
        )
        and fact_action.as_of < date_trunc('quarter', action_effect_from_facts.as_of)
        and (fact_action.is_chosen or fact_action.is_holdout or fact_action.arm is not null)

    union all

    select
        'elsewhere' as origin,
        fact_assignment.firm_sk,
        fact_assignment.customer_sk,
        fact_assignment.action_code,
        coalesce(fact_assignment.cost_amount, 0) as cost_amount,
        fact_assignment.order_date as decided_on,
        case when fact_assignment.is_control then 'control' else 'action' end as arm,
        fact_assignment.control_share as holdout_share,
        null as usual_share
    from analytics.dim_firm
    inner join analytics.fact_assignment on dim_firm.firm_sk = fact_assignment.firm_sk
    where
        dim_firm.firm_sk = (
            select named.firm_sk
            from analytics.dim_firm as named
            where named.firm_key = action_effect_from_facts.firm
        )
        and fact_assignment.order_date < date_trunc('quarter', action_effect_from_facts.as_of)

),

firsts as (

    select distinct on (
        quarter.start_date, decisions.origin, pooled.action_code, decisions.customer_sk
    )
        decisions.origin,
        decisions.firm_sk,
        decisions.customer_sk,
        pooled.action_code,
        decisions.decided_on as entered_on,
        decisions.arm,
        decisions.cost_amount,
        decisions.holdout_share,
        decisions.usual_share,
        quarter.start_date as quarter_start,
        cast(quarter.start_date + interval '3 months' as date) as quarter_end
    from decisions
    cross join
        lateral (select cast(date_trunc('quarter', decisions.decided_on) as date) as start_date) as quarter
    cross join lateral (values (decisions.action_code), ('all_actions')) as pooled (action_code)
    where decisions.origin = 'plan' or pooled.action_code = decisions.action_code
    order by
        quarter.start_date,
        decisions.origin,
        pooled.action_code,
        decisions.customer_sk,
        decisions.decided_on,
        decisions.arm

),

-- The treated are compared with each group that there is; a plan without one shows its holdout as empty.
entries as (

    select
        firsts.origin || '|' || compared.compared_with || '|' || firsts.action_code as trial,
        firsts.origin,
        compared.compared_with,
        firsts.firm_sk,
        firsts.customer_sk,
        firsts.action_code,
        firsts.entered_on,
        firsts.arm <> 'action' as is_holdout,
        firsts.cost_amount,
        case
            when compared.compared_with = 'business_as_usual' then firsts.usual_share
            else firsts.holdout_share
        end as planned_share,
        firsts.quarter_start,
        firsts.quarter_end
    from firsts
    cross join lateral (values ('holdout'), ('business_as_usual'), ('control')) as compared (compared_with)
    where
        firsts.arm = compared.compared_with
        or (
            firsts.arm = 'action'
            and (firsts.origin = 'plan') = (compared.compared_with <> 'control')
            and (
                compared.compared_with <> 'business_as_usual'
                or exists (
                    select 1
                    from firsts as usual
                    where
                        usual.arm = 'business_as_usual'
                        and usual.quarter_start = firsts.quarter_start
                        and usual.action_code = firsts.action_code
                )
            )
        )

),

outcomes as (

    select
        entries.quarter_start,
        entries.trial,
        entries.customer_sk,
        entries.is_holdout,
        entries.cost_amount,
        entries.planned_share,
        coalesce(
            sum(fact_sales.net_amount) filter (where entries.entered_on <= fact_sales.order_date), 0
        ) as spend,
        coalesce(
            sum(fact_sales.net_amount) filter (where entries.entered_on > fact_sales.order_date), 0
        ) as spend_before,
        max(
            case
                when fact_sales.kind = 'sale' and entries.entered_on <= fact_sales.order_date then 1
                else 0
            end
        ) as has_ordered
    from entries
    left join analytics.fact_sales
        on
            entries.firm_sk = fact_sales.firm_sk
            and entries.customer_sk = fact_sales.customer_sk
            and entries.entered_on - 365 <= fact_sales.order_date
            and entries.quarter_end > fact_sales.order_date
    group by
        entries.quarter_start,
        entries.trial,
        entries.customer_sk,
        entries.is_holdout,
        entries.cost_amount,
        entries.planned_share

),

slopes as (

    select
        outcomes.quarter_start,
        outcomes.trial,
        avg(outcomes.spend_before) as mean_before,
        cast(
            coalesce(
                regr_slope(
                    cast(outcomes.spend as double precision), cast(outcomes.spend_before as double precision)
                ),
                0
            ) as numeric
        ) as slope
    from outcomes
    group by
        outcomes.quarter_start,
        outcomes.trial

),

adjusted as (

    select
        outcomes.quarter_start,
        outcomes.trial,
        outcomes.is_holdout,
        outcomes.cost_amount,
        outcomes.planned_share,
        outcomes.has_ordered,
        outcomes.spend,
        outcomes.spend - slopes.slope * (outcomes.spend_before - slopes.mean_before) as spend_adjusted
    from outcomes
    inner join slopes
        on outcomes.quarter_start = slopes.quarter_start and outcomes.trial = slopes.trial

),

trials as (

    select
        adjusted.quarter_start,
        adjusted.trial,
        count(*) filter (where not adjusted.is_holdout) as treated,
        count(*) filter (where adjusted.is_holdout) as held_out,
        avg(cast(adjusted.has_ordered as double precision)) filter (where not adjusted.is_holdout) as rate,
        avg(cast(adjusted.has_ordered as double precision)) filter (where adjusted.is_holdout) as rate_out,
        avg(adjusted.spend) filter (where not adjusted.is_holdout) as mean,
        avg(adjusted.spend) filter (where adjusted.is_holdout) as mean_out,
        avg(adjusted.spend_adjusted) filter (where not adjusted.is_holdout) as mean_adjusted,
        avg(adjusted.spend_adjusted) filter (where adjusted.is_holdout) as mean_adjusted_out,
        var_samp(adjusted.spend_adjusted) filter (where not adjusted.is_holdout) as variance,
        var_samp(adjusted.spend_adjusted) filter (where adjusted.is_holdout) as variance_out,
        avg(adjusted.planned_share) as planned_share,
        coalesce(sum(adjusted.cost_amount) filter (where not adjusted.is_holdout), 0) as cost
    from adjusted
    group by
        adjusted.quarter_start,
        adjusted.trial

),

-- Wilson's interval of each share, for groups of 30 or more; z is the normal quantile of 0.975.
shares as (

    select
        trials.quarter_start,
        trials.trial,
        trials.treated >= 30 and trials.held_out >= 30 as is_enough,
        (trials.rate + wilson.half_square) / (1 + 2 * wilson.half_square) as centre,
        (trials.rate_out + wilson_out.half_square) / (1 + 2 * wilson_out.half_square) as centre_out,
        1.959963984540054 * sqrt(
            trials.rate * (1 - trials.rate) / trials.treated + wilson.half_square / (2 * trials.treated)
        ) / (1 + 2 * wilson.half_square) as reach,
        1.959963984540054 * sqrt(
            trials.rate_out * (1 - trials.rate_out) / trials.held_out
            + wilson_out.half_square / (2 * trials.held_out)
        ) / (1 + 2 * wilson_out.half_square) as reach_out,
        1.959963984540054
        * sqrt(trials.variance / trials.treated + trials.variance_out / trials.held_out) as spend_reach
    from trials
    cross join
        lateral (select 1.959963984540054 ^ 2 / (2 * nullif(trials.treated, 0)) as half_square) as wilson
    cross join
        lateral (select 1.959963984540054 ^ 2 / (2 * nullif(trials.held_out, 0)) as half_square) as wilson_out

),

effects as (

    select
        trials.quarter_start,
        trials.trial,
        shares.is_enough,
        trials.rate - trials.rate_out as order_effect,
        trials.rate - trials.rate_out - sqrt(
            (trials.rate - shares.centre + shares.reach) ^ 2
            + (shares.centre_out + shares.reach_out - trials.rate_out) ^ 2
        ) as order_low,
        trials.rate - trials.rate_out + sqrt(
            (shares.centre + shares.reach - trials.rate) ^ 2
            + (trials.rate_out - shares.centre_out + shares.reach_out) ^ 2
        ) as order_high,
        case
            when shares.is_enough then trials.mean_adjusted - trials.mean_adjusted_out
            else trials.mean - trials.mean_out
        end as spend_effect,
        cast(shares.spend_reach as numeric) as spend_reach
    from trials
    inner join shares
        on trials.quarter_start = shares.quarter_start and trials.trial = shares.trial

)

select
    regexp_replace(trials.trial, '^[^|]*[|][^|]*[|]', '') as action_code,
    trials.quarter_start,
    trials.treated as treated_customers,
    trials.held_out as held_out_customers,
    round(cast(100 * trials.rate as numeric), 2) as treated_order_pct,
    round(cast(100 * trials.rate_out as numeric), 2) as held_out_order_pct,
    round(cast(100 * effects.order_effect as numeric), 2) as order_effect_pct,
    case when effects.is_enough then round(cast(100 * effects.order_low as numeric), 2) end
        as order_effect_low_pct,
    case when effects.is_enough then round(cast(100 * effects.order_high as numeric), 2) end
        as order_effect_high_pct,
    round(trials.mean, 2) as treated_avg_spend,
    round(trials.mean_out, 2) as held_out_avg_spend,
    round(effects.spend_effect, 2) as spend_effect,
    case when effects.is_enough then round(effects.spend_effect - effects.spend_reach, 2) end
        as spend_effect_low,
    case when effects.is_enough then round(effects.spend_effect + effects.spend_reach, 2) end
        as spend_effect_high,
    case when effects.is_enough then abs(effects.spend_effect) > effects.spend_reach end as is_beyond_chance,
    trials.cost as cost_amount,
    case
        when effects.is_enough and abs(effects.spend_effect) > effects.spend_reach
            then round(effects.spend_effect * trials.treated, 2)
    end as incremental_spend,
    -- Two-sided test of the split at 0.001: z is the normal quantile of 0.9995.
    case
        when trials.planned_share > 0
            then
                abs(trials.held_out - (trials.treated + trials.held_out) * trials.planned_share)
                <= 3.2905267314919255 * sqrt(
                    (trials.treated + trials.held_out) * trials.planned_share * (1 - trials.planned_share)
                )
    end as is_split_as_planned,
    split_part(trials.trial, '|', 1) as origin,
    split_part(trials.trial, '|', 2) as compared_with
from trials
inner join effects
    on trials.quarter_start = effects.quarter_start and trials.trial = effects.trial
$$;

create or replace function mart.action_effect(firm text, as_of date)
returns table (
    action_code text,
    quarter_start date,
    treated_customers bigint,
    held_out_customers bigint,
    treated_order_pct numeric,
    held_out_order_pct numeric,
    order_effect_pct numeric,
    order_effect_low_pct numeric,
    order_effect_high_pct numeric,
    treated_avg_spend numeric,
    held_out_avg_spend numeric,
    spend_effect numeric,
    spend_effect_low numeric,
    spend_effect_high numeric,
    is_beyond_chance boolean,
    cost_amount numeric,
    incremental_spend numeric,
    is_split_as_planned boolean,
    origin text,
    compared_with text
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    return query
    select
        kept.action_code,
        kept.quarter_start,
        kept.treated_customers,
        kept.held_out_customers,
        kept.treated_order_pct,
        kept.held_out_order_pct,
        kept.order_effect_pct,
        kept.order_effect_low_pct,
        kept.order_effect_high_pct,
        kept.treated_avg_spend,
        kept.held_out_avg_spend,
        kept.spend_effect,
        kept.spend_effect_low,
        kept.spend_effect_high,
        kept.is_beyond_chance,
        kept.cost_amount,
        kept.incremental_spend,
        kept.is_split_as_planned,
        kept.origin,
        kept.compared_with
    from analytics.dim_firm
    inner join analytics.summary_action_effect as kept on dim_firm.firm_sk = kept.firm_sk
    where
        dim_firm.firm_key = action_effect.firm
        and kept.as_of = action_effect.as_of;
    if
        not found
        and not analytics.has_summary('action_effect', action_effect.firm, action_effect.as_of)
    then
        return query
        select made.*
        from
            mart.action_effect_from_facts(
                action_effect.firm, action_effect.as_of
            ) as made;
    end if;
end
$$;

create or replace view mart.vw_action_effect
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    effect.*
from mart.vw_latest_snapshot
cross join
    lateral mart.action_effect(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as effect
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.action_effect_from_facts is
'Result of action_effect computed from the facts, not read from the summary.';
comment on function mart.action_effect is 'vw_action_effect of one firm, from sales before any as_of.';
comment on view mart.vw_action_effect is
'One row per firm, action, group compared with and completed quarter: effect of the action.';
comment on column mart.vw_action_effect.quarter_start is 'First day of the calendar quarter.';
comment on column mart.vw_action_effect.treated_customers is 'Customers chosen for the action.';
comment on column mart.vw_action_effect.held_out_customers is
'Customers of the group that the treated are compared with.';
comment on column mart.vw_action_effect.treated_order_pct is
'Treated customers who ordered by the quarter''s end, in percent.';
comment on column mart.vw_action_effect.held_out_order_pct is 'The same of those held out.';
comment on column mart.vw_action_effect.order_effect_pct is 'Treated less held out, in percentage points.';
comment on column mart.vw_action_effect.order_effect_low_pct is
'Lower end of its 95 % interval; null below 30 customers in a group.';
comment on column mart.vw_action_effect.order_effect_high_pct is
'Upper end of its 95 % interval; null below 30 customers in a group.';
comment on column mart.vw_action_effect.treated_avg_spend is
'Net spend by the quarter''s end per treated customer, those who bought nothing included.';
comment on column mart.vw_action_effect.held_out_avg_spend is 'The same of those held out.';
comment on column mart.vw_action_effect.spend_effect is
'Treated less held out, per customer; in groups of 30 and more adjusted by the spend of the year before.';
comment on column mart.vw_action_effect.spend_effect_low is
'Lower end of its 95 % interval; null below 30 customers in a group.';
comment on column mart.vw_action_effect.spend_effect_high is
'Upper end of its 95 % interval; null below 30 customers in a group.';
comment on column mart.vw_action_effect.is_beyond_chance is
'Whether the interval of the spend leaves zero out; null below 30 customers in a group.';
comment on column mart.vw_action_effect.cost_amount is 'Cost of doing it once for each treated customer.';
comment on column mart.vw_action_effect.incremental_spend is
'spend_effect times treated customers: net sales that would not have been; null where it is not proved.';
comment on column mart.vw_action_effect.origin is
'plan: decided by the plan; elsewhere: assigned outside it (analytics.fact_assignment).';
comment on column mart.vw_action_effect.compared_with is
'Group that the treated are compared with: holdout (left alone), business_as_usual, or control (elsewhere).';
comment on column mart.vw_action_effect.is_split_as_planned is
'False: the groups have sizes that a random draw of the planned share would not give; distrust the effect.';

create or replace view mart.vw_action_effect_history
with (security_invoker = true, security_barrier = true)
as
select
    dim_firm.firm_key,
    kept.as_of,
    kept.action_code,
    kept.quarter_start,
    kept.treated_customers,
    kept.held_out_customers,
    kept.treated_order_pct,
    kept.held_out_order_pct,
    kept.order_effect_pct,
    kept.order_effect_low_pct,
    kept.order_effect_high_pct,
    kept.treated_avg_spend,
    kept.held_out_avg_spend,
    kept.spend_effect,
    kept.spend_effect_low,
    kept.spend_effect_high,
    kept.is_beyond_chance,
    kept.cost_amount,
    kept.incremental_spend,
    kept.is_split_as_planned,
    kept.origin,
    kept.compared_with
from analytics.summary_action_effect as kept
inner join analytics.dim_firm on kept.firm_sk = dim_firm.firm_sk;

comment on view mart.vw_action_effect_history is
'vw_action_effect of every stored snapshot: one row per as_of and row of that view.';

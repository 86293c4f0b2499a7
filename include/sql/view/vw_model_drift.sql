-- vw_model_drift: drift of each snapshot's customers from the model's training data and, once the
-- window has passed, the calibration error of its predictions. For operators, in schema control.
-- Grain: firm_key, module, as_of.

create or replace view control.vw_model_drift
with (security_invoker = true, security_barrier = true)
as
with shifts as (

    select
        model_drift.firm_key,
        model_drift.module,
        model_drift.as_of,
        model_drift.model_version,
        max(model_drift.psi) filter (where model_drift.is_score) as score_psi,
        max(model_drift.psi) filter (where not model_drift.is_score) as feature_psi,
        array_agg(
            model_drift.variable_name
            order by model_drift.psi desc, model_drift.variable_name asc
        ) filter (where not model_drift.is_score) as features
    from control.model_drift
    group by
        model_drift.firm_key,
        model_drift.module,
        model_drift.as_of,
        model_drift.model_version

),

-- Value has two windows; the shorter one ends first.
outcomes as (

    select distinct on (dim_firm.firm_key, fact_scorecard.module, fact_scorecard.as_of)
        dim_firm.firm_key,
        fact_scorecard.module,
        fact_scorecard.as_of,
        fact_scorecard.matured_on,
        fact_scorecard.predicted_mean,
        fact_scorecard.realised_mean
    from analytics.fact_scorecard
    inner join analytics.dim_firm on fact_scorecard.firm_sk = dim_firm.firm_sk
    where fact_scorecard.decile = 0
    order by
        dim_firm.firm_key asc,
        fact_scorecard.module asc,
        fact_scorecard.as_of asc,
        fact_scorecard.horizon_days asc

)

select
    shifts.firm_key,
    shifts.module,
    shifts.as_of,
    shifts.model_version,
    models.anchor,
    shifts.score_psi,
    shifts.feature_psi,
    outcomes.matured_on,
    outcomes.predicted_mean,
    outcomes.realised_mean,
    shifts.features[1] as most_shifted_feature,
    greatest(shifts.score_psi, shifts.feature_psi) > 0.25 as has_shifted,
    outcomes.realised_mean - outcomes.predicted_mean as calibration_drift
from shifts
left join control.models
    on
        shifts.firm_key = models.firm_key
        and shifts.module = models.module
        and shifts.model_version = models.model_version
left join outcomes
    on
        shifts.firm_key = outcomes.firm_key
        and shifts.module = outcomes.module
        and shifts.as_of = outcomes.as_of;

comment on view control.vw_model_drift is
'One row per firm, module and snapshot: drift of the customers, and of calibration once it is known.';
comment on column control.vw_model_drift.module is 'Module: churn or ltv.';
comment on column control.vw_model_drift.model_version is
'Version of the model that scored: row of control.models.';
comment on column control.vw_model_drift.anchor is 'Training date (anchor) of the model.';
comment on column control.vw_model_drift.score_psi is
'Population stability index of the prediction; see control.model_drift.psi.';
comment on column control.vw_model_drift.most_shifted_feature is 'Feature with the largest drift.';
comment on column control.vw_model_drift.feature_psi is 'Population stability index of that feature.';
comment on column control.vw_model_drift.has_shifted is 'Whether one of the two indices exceeds 0.25.';
comment on column control.vw_model_drift.matured_on is
'Day from which the outcome is known; null until the window has passed.';
comment on column control.vw_model_drift.predicted_mean is 'Mean prediction.';
comment on column control.vw_model_drift.realised_mean is 'Mean outcome.';
comment on column control.vw_model_drift.calibration_drift is
'Realised less predicted mean: for churn a share of customers, for ltv in the firm''s currency.';

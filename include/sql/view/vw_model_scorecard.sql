-- vw_model_scorecard: predictions compared with outcomes, for windows that have passed.
-- Grain: firm_key, module, predicted_as_of, horizon_days, decile. The function takes any as_of and shows
-- windows that had ended by then; the view takes the latest day up to which the firm's sales are loaded.

create or replace function mart.model_scorecard(firm text, as_of date)
returns table (
    module text,
    predicted_as_of date,
    matured_on date,
    horizon_days integer,
    model_version text,
    method text,
    decile smallint,
    customers bigint,
    predicted_mean double precision,
    realised_mean double precision,
    predicted_total double precision,
    predicted_low double precision,
    predicted_high double precision,
    realised_total double precision,
    lift double precision,
    auc double precision,
    normalised_gini double precision,
    brier double precision,
    calibration_error double precision
)
language sql
stable
as $$
select
    fact_scorecard.module,
    fact_scorecard.as_of as predicted_as_of,
    fact_scorecard.matured_on,
    fact_scorecard.horizon_days,
    fact_scorecard.model_version,
    fact_scorecard.method,
    fact_scorecard.decile,
    fact_scorecard.customers,
    fact_scorecard.predicted_mean,
    fact_scorecard.realised_mean,
    fact_scorecard.predicted_total,
    fact_scorecard.predicted_low,
    fact_scorecard.predicted_high,
    fact_scorecard.realised_total,
    fact_scorecard.lift,
    fact_scorecard.auc,
    fact_scorecard.normalised_gini,
    fact_scorecard.brier,
    fact_scorecard.calibration_error
from analytics.dim_firm
inner join analytics.fact_scorecard on dim_firm.firm_sk = fact_scorecard.firm_sk
where
    dim_firm.firm_key = model_scorecard.firm
    and fact_scorecard.matured_on <= model_scorecard.as_of
$$;

create or replace view mart.vw_model_scorecard
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    scored.*
from mart.vw_latest_snapshot
cross join lateral mart.model_scorecard(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as scored
where vw_latest_snapshot.fact_name = 'fact_sales';

comment on function mart.model_scorecard is
'vw_model_scorecard of one firm: windows that had ended by any as_of.';
comment on view mart.vw_model_scorecard is
'One row per firm, module, earlier snapshot, horizon and decile of prediction: prediction and outcome.';
comment on column mart.vw_model_scorecard.module is 'Module whose prediction is scored: churn or ltv.';
comment on column mart.vw_model_scorecard.predicted_as_of is 'Snapshot of the prediction.';
comment on column mart.vw_model_scorecard.matured_on is
'The window''s end, exclusive: from this day on the outcome is known.';
comment on column mart.vw_model_scorecard.horizon_days is 'Length of the predicted window, in days.';
comment on column mart.vw_model_scorecard.model_version is 'Version of the model.';
comment on column mart.vw_model_scorecard.method is 'Method of the model.';
comment on column mart.vw_model_scorecard.decile is
'10 is the decile with the highest predictions, ties together; 0 is all customers.';
comment on column mart.vw_model_scorecard.customers is 'Number of customers.';
comment on column mart.vw_model_scorecard.predicted_mean is
'Mean prediction: for churn the probability, null if rules scored; for ltv net spend.';
comment on column mart.vw_model_scorecard.realised_mean is
'Mean outcome: for churn the share that churned; for ltv net spend.';
comment on column mart.vw_model_scorecard.predicted_total is
'Sum of predictions: for churn expected churners; for ltv net spend.';
comment on column mart.vw_model_scorecard.predicted_low is
'Lower end of the 80 percent interval of the total; null if the module gives none.';
comment on column mart.vw_model_scorecard.predicted_high is
'Upper end of the 80 percent interval of the total; null if the module gives none.';
comment on column mart.vw_model_scorecard.realised_total is
'Sum of outcomes: for churn the churners; for ltv net spend, sales less returns.';
comment on column mart.vw_model_scorecard.lift is
'Mean outcome divided by that of all customers; null if that is 0.';
comment on column mart.vw_model_scorecard.auc is
'Area under the ROC curve, of all customers; null if all had the same outcome.';
comment on column mart.vw_model_scorecard.normalised_gini is
'Gini of the ranking, of all customers: 0 random, 1 perfect; for churn 2 AUC - 1, for ltv of net spend.';
comment on column mart.vw_model_scorecard.brier is
'Brier score, of all customers: mean squared difference of probability and outcome.';
comment on column mart.vw_model_scorecard.calibration_error is
'Of all: for churn, mean difference of shares in ten bins; for ltv, of spend in deciles, by mean spend.';

-- vw_model_scorecard: predictions whose windows have passed, against what happened.
-- Grain: firm_key, module, predicted_as_of, horizon_days, decile. The function takes any as_of and shows what
-- was known on it; the view takes the latest day up to which the firm's sales are loaded.

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
'vw_model_scorecard of one firm: windows that had passed at any as_of.';
comment on view mart.vw_model_scorecard is
'One row per firm, module, earlier snapshot, horizon and decile of prediction: predicted and realised.';
comment on column mart.vw_model_scorecard.module is 'Module whose prediction is scored: churn or ltv.';
comment on column mart.vw_model_scorecard.predicted_as_of is 'Snapshot that predicted.';
comment on column mart.vw_model_scorecard.matured_on is
'The window''s end, exclusive: from this day on the outcome is known.';
comment on column mart.vw_model_scorecard.horizon_days is 'Length of the window that was predicted.';
comment on column mart.vw_model_scorecard.model_version is 'The model that predicted.';
comment on column mart.vw_model_scorecard.method is 'The method that predicted.';
comment on column mart.vw_model_scorecard.decile is
'10 is the tenth with the highest prediction, equal predictions together; 0 is all customers.';
comment on column mart.vw_model_scorecard.customers is 'Customers.';
comment on column mart.vw_model_scorecard.predicted_mean is
'Mean prediction: of churn probability, null where rules scored, which predict none; of ltv net spend.';
comment on column mart.vw_model_scorecard.realised_mean is
'Mean outcome: of churn the share that churned; of ltv net spend.';
comment on column mart.vw_model_scorecard.predicted_total is
'Sum of predictions: of churn expected churners; of ltv net spend.';
comment on column mart.vw_model_scorecard.predicted_low is
'Lower end of the 80 percent interval for the total; null where the module gives none.';
comment on column mart.vw_model_scorecard.predicted_high is
'Upper end of the 80 percent interval for the total; null where the module gives none.';
comment on column mart.vw_model_scorecard.realised_total is
'Sum of outcomes: of churn the churners; of ltv net spend, sales less returns.';
comment on column mart.vw_model_scorecard.lift is
'Mean outcome over that of all customers; null when nothing happened.';
comment on column mart.vw_model_scorecard.auc is
'Of all customers: chance that one who churned was ranked above one who did not; null with one outcome only.';
comment on column mart.vw_model_scorecard.normalised_gini is
'Of all customers: ranking, 0 is chance and 1 perfect; of churn 2 AUC - 1, of ltv of net spend.';
comment on column mart.vw_model_scorecard.brier is
'Of all customers: mean squared distance of probability and outcome.';
comment on column mart.vw_model_scorecard.calibration_error is
'Of all: of churn mean distance of shares over ten bins; of ltv of spend over the deciles, by mean spend.';

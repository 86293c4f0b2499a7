-- scorecards: predictions compared with what happened.
-- Grain: module, predicted_as_of, horizon_days, decile. Params: :firm_key, :as_of.

select
    shown.module,
    shown.predicted_as_of,
    shown.matured_on,
    shown.horizon_days,
    shown.model_version,
    shown.method,
    shown.decile,
    shown.customers,
    shown.predicted_mean,
    shown.realised_mean,
    shown.predicted_total,
    shown.predicted_low,
    shown.predicted_high,
    shown.realised_total,
    shown.lift,
    shown.auc,
    shown.normalised_gini,
    shown.brier,
    shown.calibration_error
from mart.model_scorecard(:firm_key, :as_of) as shown
order by
    shown.predicted_as_of desc,
    shown.module asc,
    shown.horizon_days asc,
    shown.decile asc;

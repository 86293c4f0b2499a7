-- drift: how far the customers scored lie from those that the model was trained on, latest first.
-- Grain: module, as_of. Params: :firm_key.

select
    shown.module,
    shown.as_of,
    shown.model_version,
    shown.anchor,
    shown.score_psi,
    shown.feature_psi,
    shown.matured_on,
    shown.predicted_mean,
    shown.realised_mean,
    shown.most_shifted_feature,
    shown.has_shifted,
    shown.calibration_drift
from control.vw_model_drift as shown
where shown.firm_key = :firm_key
order by
    shown.as_of desc,
    shown.module asc;

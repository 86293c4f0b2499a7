-- churn_feature_importances: replaces one anchor of a firm.
-- Grain: anchor, feature. Params: :firm_sk, :anchor, :manifest_token.

delete from analytics.churn_feature_importances
where
    churn_feature_importances.firm_sk = :firm_sk
    and churn_feature_importances.anchor = :anchor;

insert into analytics.churn_feature_importances (
    firm_sk,
    anchor,
    feature,
    model_version,
    factor,
    place,
    gain,
    splits,
    mean_contribution,
    manifest_token
)
select
    :firm_sk as firm_sk,
    :anchor as anchor,
    stg_churn_importances.feature,
    stg_churn_importances.model_version,
    stg_churn_importances.factor,
    stg_churn_importances.place,
    stg_churn_importances.gain,
    stg_churn_importances.splits,
    stg_churn_importances.mean_contribution,
    :manifest_token as manifest_token
from pg_temp.stg_churn_importances;

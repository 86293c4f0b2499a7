-- churn_feature_importances: feature importances of the snapshot's tree model; no row without one.
-- Grain: model_id, feature_name. Params: :firm_key, :as_of, :run_id.
-- run_id identifies the training by its anchor: another snapshot of the same model adds no row.

select
    :firm_key as firm_id,
    importances.model_version as model_id,
    importances.feature as feature_name,
    importances.anchor as run_date,
    importances.factor as churn_factor,
    importances.place as importance_rank,
    importances.mean_contribution as importance_score,
    importances.gain as total_gain,
    importances.splits as split_count,
    :firm_key || '/' || cast(importances.anchor as text) as run_id
from analytics.dim_firm
inner join analytics.churn_feature_importances as importances on dim_firm.firm_sk = importances.firm_sk
where
    dim_firm.firm_key = :firm_key
    and importances.anchor = (
        select max(earlier.anchor) as anchor
        from analytics.churn_feature_importances as earlier
        where
            earlier.firm_sk = dim_firm.firm_sk
            and earlier.anchor <= :as_of
    )

-- churn_performance_metrics: how right the models were whose training the snapshot rests on.
-- Grain: model_id, candidate, population. Params: :firm_key, :as_of, :run_id.
-- The run here is the training, named by its anchor: a snapshot of another day adds no row.

select
    :firm_key as firm_id,
    metrics.model_version as model_id,
    metrics.candidate,
    metrics.population,
    metrics.anchor as run_date,
    metrics.cutoff as evaluated_from,
    metrics.horizon_days,
    metrics.customers,
    metrics.churned,
    metrics.auc,
    metrics.accuracy,
    metrics.precision as precision_score,
    metrics.recall as recall_score,
    metrics.f1 as f1_score,
    metrics.threshold as decision_threshold,
    metrics.true_positives,
    metrics.false_positives,
    metrics.false_negatives,
    metrics.true_negatives,
    metrics.brier as brier_score,
    case when metrics.is_champion then 1 else 0 end as is_champion,
    :firm_key || '/' || cast(metrics.anchor as text) as run_id
from analytics.dim_firm
inner join analytics.churn_performance_metrics as metrics on dim_firm.firm_sk = metrics.firm_sk
where
    dim_firm.firm_key = :firm_key
    and metrics.anchor = (
        select max(earlier.anchor) as anchor
        from analytics.churn_performance_metrics as earlier
        where
            earlier.firm_sk = dim_firm.firm_sk
            and earlier.anchor <= :as_of
    )

-- churn_performance_metrics: backtest metrics of the model training that the snapshot uses.
-- Grain: model_id, candidate, population. Params: :firm_key, :as_of, :run_id.
-- run_id identifies the training by its anchor: another snapshot of the same model adds no row.

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

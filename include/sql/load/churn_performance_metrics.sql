-- churn_performance_metrics: replaces one anchor of a firm.
-- Grain: anchor, candidate, population. Params: :firm_sk, :anchor, :manifest_token.

delete from analytics.churn_performance_metrics
where
    churn_performance_metrics.firm_sk = :firm_sk
    and churn_performance_metrics.anchor = :anchor;

insert into analytics.churn_performance_metrics (
    firm_sk,
    anchor,
    candidate,
    population,
    model_version,
    is_champion,
    cutoff,
    horizon_days,
    customers,
    churned,
    auc,
    pr_auc,
    brier,
    log_loss,
    ece,
    threshold,
    accuracy,
    precision,
    recall,
    f1,
    true_positives,
    false_positives,
    false_negatives,
    true_negatives,
    manifest_token
)
select
    :firm_sk as firm_sk,
    :anchor as anchor,
    stg_churn_metrics.candidate,
    stg_churn_metrics.population,
    stg_churn_metrics.model_version,
    stg_churn_metrics.is_champion,
    stg_churn_metrics.cutoff,
    stg_churn_metrics.horizon_days,
    stg_churn_metrics.customers,
    stg_churn_metrics.churned,
    stg_churn_metrics.auc,
    stg_churn_metrics.pr_auc,
    stg_churn_metrics.brier,
    stg_churn_metrics.log_loss,
    stg_churn_metrics.ece,
    stg_churn_metrics.threshold,
    stg_churn_metrics.accuracy,
    stg_churn_metrics.precision,
    stg_churn_metrics.recall,
    stg_churn_metrics.f1,
    stg_churn_metrics.true_positives,
    stg_churn_metrics.false_positives,
    stg_churn_metrics.false_negatives,
    stg_churn_metrics.true_negatives,
    :manifest_token as manifest_token
from pg_temp.stg_churn_metrics;

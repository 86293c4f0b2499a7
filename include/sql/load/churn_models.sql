-- control.models: the churn model that an anchor's artefact holds, and every number beside it: metrics of
-- the candidates, importances of the features, canaries of the sentinel. Each replaces the anchor's.
-- Grain: anchor. Params: :firm_key, :firm_sk, :anchor, :manifest_token, :manifest_sha256, :made_from.

select control.register_model(
    :firm_key,
    'churn',
    :anchor,
    :manifest_token,
    :manifest_sha256,
    :made_from,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'part', stg_churn_model.part,
                    'sha256', stg_churn_model.sha256,
                    'body', case when stg_churn_model.part <> 'trees' then stg_churn_model.body end
                )
            ) as staged
        from pg_temp.stg_churn_model
    )
) as registered;

create temp table churn_evidence on commit drop as
select
    models.model_version,
    models.horizon_days,
    stg_churn_model.part,
    stg_churn_model.body::jsonb as evidence
from pg_temp.stg_churn_model
inner join control.models
    on
        models.firm_key = :firm_key
        and models.module = 'churn'
        and models.anchor = :anchor
        and models.is_standing
where stg_churn_model.part in ('metrics', 'importances', 'sentinel');

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
    measured.candidate,
    measured.population,
    churn_evidence.model_version,
    measured.is_champion,
    measured.cutoff,
    churn_evidence.horizon_days,
    measured.customers,
    measured.churned,
    measured.auc,
    measured.pr_auc,
    measured.brier,
    measured.log_loss,
    measured.ece,
    measured.threshold,
    measured.accuracy,
    measured.precision,
    measured.recall,
    measured.f1,
    measured.true_positives,
    measured.false_positives,
    measured.false_negatives,
    measured.true_negatives,
    :manifest_token as manifest_token
from pg_temp.churn_evidence
cross join
    lateral jsonb_populate_recordset(
        null::analytics.churn_performance_metrics, churn_evidence.evidence
    ) as measured
where churn_evidence.part = 'metrics';

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
    used.feature,
    churn_evidence.model_version,
    used.factor,
    row_number() over (order by used.mean_contribution desc, used.feature asc) as place,
    used.gain,
    used.splits,
    used.mean_contribution,
    :manifest_token as manifest_token
from pg_temp.churn_evidence
cross join
    lateral jsonb_populate_recordset(
        null::analytics.churn_feature_importances, churn_evidence.evidence
    ) as used
where churn_evidence.part = 'importances';

delete from control.model_checks
where
    model_checks.firm_sk = :firm_sk
    and model_checks.anchor = :anchor;

insert into control.model_checks (
    firm_sk,
    anchor,
    check_name,
    model_version,
    observed,
    allowed,
    passed,
    message,
    manifest_token
)
select
    :firm_sk as firm_sk,
    :anchor as anchor,
    canary.value ->> 'check' as check_name,
    churn_evidence.model_version,
    (canary.value ->> 'observed')::double precision as observed,
    (canary.value ->> 'allowed')::double precision as allowed,
    (canary.value ->> 'passed')::boolean as passed,
    canary.value ->> 'message' as message,
    :manifest_token as manifest_token
from pg_temp.churn_evidence
cross join lateral jsonb_array_elements(churn_evidence.evidence) as canary (value)
where churn_evidence.part = 'sentinel';

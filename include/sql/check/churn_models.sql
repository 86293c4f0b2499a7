-- churn_models: artefacts with a wrong hash, for another anchor, or with missing rows.
-- Params: :firm_key, :firm_sk, :anchor, :manifest_sha256.

with loaded as (

    select
        'metrics' as part,
        count(*) as row_count
    from analytics.churn_performance_metrics
    where
        churn_performance_metrics.firm_sk = :firm_sk
        and churn_performance_metrics.anchor = :anchor

    union all

    select
        'importances' as part,
        count(*) as row_count
    from analytics.churn_feature_importances
    where
        churn_feature_importances.firm_sk = :firm_sk
        and churn_feature_importances.anchor = :anchor

    union all

    select
        'sentinel' as part,
        count(*) as row_count
    from control.model_checks
    where
        model_checks.firm_sk = :firm_sk
        and model_checks.anchor = :anchor

)

select
    'hash of the part differs from its content' as fault,
    stg_churn_model.part as sample
from pg_temp.stg_churn_model
where
    stg_churn_model.sha256
    <> encode(sha256(convert_to(stg_churn_model.part || E'\n' || stg_churn_model.body, 'UTF8')), 'hex')

union all

select
    'no current model of the anchor in control.models' as fault,
    to_char(:anchor::date, 'YYYY-MM-DD') as sample
where
    not exists (
        select 1 as found
        from control.models
        where
            models.firm_key = :firm_key
            and models.module = 'churn'
            and models.anchor = :anchor
            and models.is_standing
            and models.manifest_sha256 = :manifest_sha256
    )

union all

select
    'rows of the artefact are missing from its table' as fault,
    churn_evidence.part as sample
from pg_temp.churn_evidence
left join loaded on churn_evidence.part = loaded.part
where jsonb_array_length(churn_evidence.evidence) <> loaded.row_count;

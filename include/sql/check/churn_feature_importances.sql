-- churn_feature_importances: rows lost on the way, and rows of a model that is not on record.
-- Params: :firm_key, :firm_sk, :anchor.

select
    'loaded rows differ from what was staged' as fault,
    to_char(:anchor::date, 'YYYY-MM-DD') as sample
where
    (select count(*) as row_count from pg_temp.stg_churn_importances)
    <> (
        select count(*) as row_count
        from analytics.churn_feature_importances
        where
            churn_feature_importances.firm_sk = :firm_sk
            and churn_feature_importances.anchor = :anchor
    )

union all

select distinct
    'model_version is not the anchor''s in control.models' as fault,
    stg_churn_importances.model_version as sample
from pg_temp.stg_churn_importances
left join control.models
    on
        models.firm_key = :firm_key
        and models.module = 'churn'
        and models.anchor = :anchor
        and stg_churn_importances.model_version = models.model_version
where models.model_version is null;

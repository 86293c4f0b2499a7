-- model_checks: rows lost on the way, and rows of a model that is not on record.
-- Params: :firm_key, :firm_sk, :anchor.

select
    'loaded rows differ from what was staged' as fault,
    to_char(:anchor::date, 'YYYY-MM-DD') as sample
where
    (select count(*) as row_count from pg_temp.stg_churn_checks)
    <> (
        select count(*) as row_count
        from control.model_checks
        where
            model_checks.firm_sk = :firm_sk
            and model_checks.anchor = :anchor
    )

union all

select distinct
    'model_version is not the anchor''s in control.models' as fault,
    stg_churn_checks.model_version as sample
from pg_temp.stg_churn_checks
left join control.models
    on
        models.firm_key = :firm_key
        and models.module = 'churn'
        and models.anchor = :anchor
        and stg_churn_checks.model_version = models.model_version
where models.model_version is null;

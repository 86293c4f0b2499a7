-- churn_models: an artefact that was tampered with, is for another anchor, or left no row.
-- Params: :firm_key, :anchor, :manifest_sha256.

select
    'part is not what was written' as fault,
    stg_churn_model.part as sample
from pg_temp.stg_churn_model
where
    stg_churn_model.sha256
    <> encode(sha256(convert_to(stg_churn_model.part || E'\n' || stg_churn_model.body, 'UTF8')), 'hex')

union all

select
    'no standing model of the anchor in control.models' as fault,
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
    );

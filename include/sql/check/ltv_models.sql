-- ltv_models: artefacts with a wrong hash, for another anchor, or with no champion in the backtest.
-- Params: :firm_key, :firm_sk, :anchor, :manifest_sha256.

select
    'hash of the part differs from its content' as fault,
    stg_value_model.part as sample
from pg_temp.stg_value_model
where
    stg_value_model.sha256
    <> encode(sha256(convert_to(stg_value_model.part || E'\n' || stg_value_model.body, 'UTF8')), 'hex')

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
            and models.module = 'ltv'
            and models.anchor = :anchor
            and models.is_standing
            and models.manifest_sha256 = :manifest_sha256
    );

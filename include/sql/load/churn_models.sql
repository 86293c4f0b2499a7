-- control.models: the model that an anchor's artefact holds, from its header. Earlier versions of the anchor
-- stay, for the facts they scored; one of them is standing.
-- Grain: model_version. Params: :firm_key, :anchor, :manifest_token, :manifest_sha256.

update control.models
set is_standing = false
where
    models.firm_key = :firm_key
    and models.module = 'churn'
    and models.anchor = :anchor;

with header as (

    select stg_churn_model.body::jsonb as title_page
    from pg_temp.stg_churn_model
    where stg_churn_model.part = 'header'

),

version as (

    select
        left(
            encode(
                sha256(
                    convert_to(
                        string_agg(stg_churn_model.sha256, '' order by stg_churn_model.sha256),
                        'UTF8'
                    )
                ),
                'hex'
            ),
            12
        ) as digest
    from pg_temp.stg_churn_model

),

-- Python writes a number that is none as NaN, which is not JSON.
sentinel as (

    select
        count(*) as checks,
        count(*) filter (where (canary.value ->> 'passed')::boolean) as checks_passed
    from pg_temp.stg_churn_model
    cross join
        lateral jsonb_array_elements(
            regexp_replace(stg_churn_model.body, ':\s*-?(NaN|Infinity)', ': null', 'g')::jsonb
        ) as canary (value)
    where stg_churn_model.part = 'sentinel'

)

insert into control.models (
    firm_key,
    module,
    model_version,
    anchor,
    is_standing,
    method,
    reason,
    is_sufficient,
    horizon_days,
    training_cutoffs,
    training_customers,
    settings,
    sentinel_checks,
    sentinel_checks_passed,
    manifest_token,
    manifest_sha256,
    trained_at
)
select
    :firm_key as firm_key,
    'churn' as module,
    'churn-' || (header.title_page ->> 'anchor') || '-' || version.digest as model_version,
    (header.title_page ->> 'anchor')::date as anchor,
    true as is_standing,
    header.title_page ->> 'method' as method,
    header.title_page ->> 'reason' as reason,
    (header.title_page ->> 'is_sufficient')::boolean as is_sufficient,
    (header.title_page ->> 'horizon_days')::integer as horizon_days,
    array(select jsonb_array_elements_text(header.title_page -> 'cutoffs'))::date[] as training_cutoffs,
    array(select jsonb_array_elements_text(header.title_page -> 'customers'))::bigint[] as training_customers,
    header.title_page -> 'settings' as settings,
    sentinel.checks as sentinel_checks,
    sentinel.checks_passed as sentinel_checks_passed,
    :manifest_token as manifest_token,
    :manifest_sha256 as manifest_sha256,
    attempts.drawn_at as trained_at
from header
cross join version
cross join sentinel
left join control.attempts on attempts.token = :manifest_token
on conflict (firm_key, module, model_version) do update
    set
        is_standing = true,
        manifest_token = excluded.manifest_token,
        manifest_sha256 = excluded.manifest_sha256;

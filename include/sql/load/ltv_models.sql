-- control.models: the model of value that an anchor's artefact holds, and the backtest that led to it.
-- Grain: anchor. Params: :firm_key, :firm_sk, :anchor, :manifest_token, :manifest_sha256, :made_from.

select control.register_model(
    :firm_key,
    'ltv',
    :anchor,
    :manifest_token,
    :manifest_sha256,
    :made_from,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'part', stg_value_model.part,
                    'sha256', stg_value_model.sha256,
                    'body', case when stg_value_model.part <> 'trees' then stg_value_model.body end
                )
            ) as staged
        from pg_temp.stg_value_model
    )
) as registered;

delete from analytics.value_backtest
where
    value_backtest.firm_sk = :firm_sk
    and value_backtest.anchor = :anchor;

insert into analytics.value_backtest (
    firm_sk,
    anchor,
    candidate,
    cutoff,
    metric,
    model_version,
    is_champion,
    horizon_days,
    customers,
    measured,
    manifest_token
)
select
    :firm_sk as firm_sk,
    :anchor as anchor,
    tested.value ->> 'candidate' as candidate,
    (tested.value ->> 'cutoff')::date as cutoff,
    metrics.key as metric,
    models.model_version,
    tested.value ->> 'candidate' = models.method as is_champion,
    (tested.value ->> 'horizon_days')::integer as horizon_days,
    (tested.value ->> 'customers')::bigint as customers,
    (metrics.value #>> '{}')::double precision as measured,
    :manifest_token as manifest_token
from control.models
cross join lateral jsonb_array_elements(models.candidates) as tested (value)
cross join lateral jsonb_each(tested.value -> 'metrics') as metrics (key, value)
where
    models.firm_key = :firm_key
    and models.module = 'ltv'
    and models.anchor = :anchor
    and models.is_standing;

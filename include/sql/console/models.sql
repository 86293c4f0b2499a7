-- models: the firm's models with the decision whether each scores, latest first.
-- Grain: module, anchor, model_version. Params: :firm_key.

select
    models.module,
    models.anchor,
    models.model_version,
    models.is_standing,
    models.method,
    models.reason,
    models.is_sufficient,
    models.horizon_days,
    models.sentinel_checks,
    models.sentinel_checks_passed,
    models.trained_at,
    models.challenger,
    model_gates.is_scoring,
    model_gates.error,
    model_gates.error_name,
    model_gates.reason as gate_reason
from control.models
left join control.model_gates
    on
        models.firm_key = model_gates.firm_key
        and models.module = model_gates.module
        and models.anchor = model_gates.anchor
        and models.model_version = model_gates.model_version
where models.firm_key = :firm_key
order by
    models.module asc,
    models.anchor desc,
    models.trained_at desc;

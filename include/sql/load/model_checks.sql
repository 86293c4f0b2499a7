-- model_checks: replaces one anchor of a firm.
-- Grain: anchor, check_name. Params: :firm_sk, :anchor, :manifest_token.

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
    stg_churn_checks.check_name,
    stg_churn_checks.model_version,
    stg_churn_checks.observed,
    stg_churn_checks.allowed,
    stg_churn_checks.passed,
    stg_churn_checks.message,
    :manifest_token as manifest_token
from pg_temp.stg_churn_checks;

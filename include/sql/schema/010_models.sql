-- Models of every module on one record: what each is, which one scores a day, who decided so, and how far
-- the customers have drifted from those it was trained on.

alter table control.models drop constraint models_horizon_days_check;
alter table control.models add constraint models_horizon_days_check check (horizon_days >= 0);
alter table control.models add column artefact_sha256 text;
alter table control.models add column parameters jsonb;
alter table control.models add column candidates jsonb;
alter table control.models add column challenger text;
alter table control.models add column made_from text[];

comment on column control.models.module is 'Module it serves: churn or ltv.';
comment on column control.models.method is
'Champion: of churn ''lightgbm'', ''bgnbd'', ''recency'' or ''rules''; of ltv see fact_customer_ltv.method.';
comment on column control.models.horizon_days is
'Length of the window it predicts, or was tested on; 0 where nothing could be held out.';
comment on column control.models.training_cutoffs is
'Days that part what was known from outcomes; the last is the evaluation window''s, of ltv the anchor.';
comment on column control.models.training_customers is
'Customers at each of those days; of ltv those at the anchor.';
comment on column control.models.artefact_sha256 is
'Hash of the hashes of all parts of the artefact; model_version begins it.';
comment on column control.models.parameters is
'Every fitted parameter; of trees, which are long, the hash of their text.';
comment on column control.models.candidates is 'Champion and challengers with every number of their trial.';
comment on column control.models.challenger is
'The best candidate but the champion; null where nothing was tried.';
comment on column control.models.made_from is
'Handoffs and settings it was fitted from, as path#token#sha256.';

create function control.register_model(
    firm_key text,
    module text,
    anchor date,
    manifest_token bigint,
    manifest_sha256 text,
    made_from text[],
    staged jsonb
)
returns void
language sql
as $$

update control.models
set is_standing = false
where
    models.firm_key = register_model.firm_key
    and models.module = register_model.module
    and models.anchor = register_model.anchor;

with parts as (

    select
        part.value ->> 'part' as part,
        part.value ->> 'sha256' as sha256,
        (part.value ->> 'body')::jsonb as body
    from jsonb_array_elements(register_model.staged) as part (value)

),

-- Trees come without their text: it is no JSON, and long.
fitted as (

    select jsonb_object_agg(
        parts.part, coalesce(parts.body, jsonb_build_object('sha256', parts.sha256))
    ) as parameters
    from parts
    where parts.part not in ('header', 'metrics', 'backtest', 'importances', 'sentinel', 'reference')

),

tried as (

    select parts.body as candidates
    from parts
    where parts.part in ('metrics', 'backtest')
    limit 1

),

canaries as (

    select
        count(*) as checks,
        count(*) filter (where (canary.value ->> 'passed')::boolean) as checks_passed
    from parts
    cross join lateral jsonb_array_elements(parts.body) as canary (value)
    where parts.part = 'sentinel'

),

version as (

    select encode(
        sha256(convert_to(string_agg(parts.sha256, '' order by parts.sha256), 'UTF8')), 'hex'
    ) as digest
    from parts

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
    trained_at,
    artefact_sha256,
    parameters,
    candidates,
    challenger,
    made_from
)
select
    register_model.firm_key,
    register_model.module,
    register_model.module || '-' || (parts.body ->> 'anchor') || '-' || left(version.digest, 12),
    (parts.body ->> 'anchor')::date,
    true,
    parts.body ->> 'method',
    parts.body ->> 'reason',
    (parts.body ->> 'is_sufficient')::boolean,
    (parts.body ->> 'horizon_days')::integer,
    array(select jsonb_array_elements_text(parts.body -> 'cutoffs'))::date[],
    array(
        select jsonb_array_elements_text(
            case jsonb_typeof(parts.body -> 'customers')
                when 'array' then parts.body -> 'customers'
                else jsonb_build_array(parts.body -> 'customers')
            end
        )
    )::bigint[],
    parts.body -> 'settings',
    canaries.checks,
    canaries.checks_passed,
    register_model.manifest_token,
    register_model.manifest_sha256,
    attempts.drawn_at,
    version.digest,
    coalesce(fitted.parameters, '{}')
    || (parts.body - array['anchor', 'cutoffs', 'customers', 'parts', 'reason', 'settings']),
    coalesce(tried.candidates, '[]'),
    parts.body ->> 'challenger',
    register_model.made_from
from parts
cross join fitted
cross join canaries
cross join version
left join tried on true
left join control.attempts on attempts.token = register_model.manifest_token
where parts.part = 'header'
on conflict (firm_key, module, model_version) do update
    set
        is_standing = true,
        manifest_token = excluded.manifest_token,
        manifest_sha256 = excluded.manifest_sha256,
        artefact_sha256 = excluded.artefact_sha256,
        parameters = excluded.parameters,
        candidates = excluded.candidates,
        challenger = excluded.challenger,
        made_from = excluded.made_from;
$$;

comment on function control.register_model is
'Puts the model of an anchor''s artefact on record; the anchor''s earlier versions stay, not standing.';

create table control.model_gates (
    firm_key text not null,
    module text not null,
    anchor date not null,
    contender_anchor date not null,
    model_version text not null,
    method text not null,
    is_scoring boolean not null,
    error double precision,
    error_name text not null,
    margin double precision not null,
    cutoff date,
    reason text not null,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (firm_key, module, anchor, contender_anchor),
    check (contender_anchor <= anchor)
);

comment on table control.model_gates is
'One row per anchor and model that could score from it on: the new one and those of earlier anchors.';
comment on column control.model_gates.module is 'Module: churn or ltv.';
comment on column control.model_gates.anchor is 'Anchor at which the gate was held.';
comment on column control.model_gates.contender_anchor is 'Anchor of the contending model.';
comment on column control.model_gates.model_version is 'The contending model: row of control.models.';
comment on column control.model_gates.method is 'Its method.';
comment on column control.model_gates.is_scoring is
'Whether it scores from the anchor to the next one, unless a decision says otherwise.';
comment on column control.model_gates.error is
'Its error on the anchor''s latest window, which it never saw; null where it has none there.';
comment on column control.model_gates.error_name is
'Which error: of churn the Brier score, of ltv the Tweedie deviance over that of the plain average.';
comment on column control.model_gates.margin is
'Share by which the new model''s error may exceed an earlier one''s before it is refused.';
comment on column control.model_gates.cutoff is 'Day on which that window begins.';
comment on column control.model_gates.reason is
'The gate''s verdict, in words; the same for all its contenders.';
comment on column control.model_gates.decided_at is 'When, UTC.';

create table control.model_decisions (
    decision_id bigint generated always as identity primary key,
    firm_key text not null,
    module text not null,
    replaces_anchor date not null,
    from_as_of date not null,
    anchor date not null,
    decided_by text not null,
    decided_at timestamptz not null default clock_timestamp(),
    why text not null check (why <> ''),
    check (anchor <= replaces_anchor and replaces_anchor <= from_as_of)
);

create index model_decisions_firm_key
on control.model_decisions (firm_key, module, replaces_anchor, from_as_of);

create function control.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception '% is append-only: take a new decision instead', tg_table_name;
end
$$;

comment on function control.refuse_change is 'Trigger of tables that only grow.';

create trigger model_decisions_only_grow
before update or delete or truncate on control.model_decisions
for each statement execute function control.refuse_change();

comment on table control.model_decisions is
'One row per decision of a person on which model scores; append-only, the latest in force counts.';
comment on column control.model_decisions.decision_id is 'Order in which decisions were taken.';
comment on column control.model_decisions.module is 'Module: churn or ltv.';
comment on column control.model_decisions.replaces_anchor is
'Anchor whose period it is about: from that day to the next anchor.';
comment on column control.model_decisions.from_as_of is
'First as_of of that period that it holds for, whenever that day is run.';
comment on column control.model_decisions.anchor is 'Anchor of the model that scores instead.';
comment on column control.model_decisions.decided_by is 'Who decided.';
comment on column control.model_decisions.decided_at is 'When, UTC.';
comment on column control.model_decisions.why is 'Why.';

create table control.model_drift (
    firm_key text not null,
    module text not null,
    as_of date not null,
    variable_name text not null,
    is_score boolean not null,
    model_version text not null,
    psi double precision not null check (psi >= 0),
    training_customers bigint not null,
    customers bigint not null,
    measured_at timestamptz not null default clock_timestamp(),
    primary key (firm_key, module, as_of, variable_name)
);

comment on table control.model_drift is
'One row per snapshot and variable: how far the customers scored lie from those the model was trained on.';
comment on column control.model_drift.module is 'Module: churn or ltv.';
comment on column control.model_drift.variable_name is 'Feature, or the prediction itself.';
comment on column control.model_drift.is_score is 'Whether it is the prediction.';
comment on column control.model_drift.model_version is 'The model that scored: row of control.models.';
comment on column control.model_drift.psi is
'Population stability index over tenths of the training customers: under 0.1 is still, over 0.25 a shift.';
comment on column control.model_drift.training_customers is 'Customers of the model''s last window.';
comment on column control.model_drift.customers is 'Customers scored.';
comment on column control.model_drift.measured_at is 'When, UTC.';

create table analytics.value_backtest (
    firm_sk integer not null references analytics.dim_firm,
    anchor date not null,
    candidate text not null,
    cutoff date not null,
    metric text not null,
    model_version text not null,
    is_champion boolean not null,
    horizon_days integer not null,
    customers bigint not null,
    measured double precision,
    manifest_token bigint not null,
    primary key (firm_sk, anchor, candidate, cutoff, metric)
);

comment on table analytics.value_backtest is
'One row per anchor, candidate, backtest window and metric: how the model of value was chosen.';
comment on column analytics.value_backtest.anchor is 'Day before which the model''s data ends.';
comment on column analytics.value_backtest.candidate is 'What a customer''s spend was predicted by.';
comment on column analytics.value_backtest.cutoff is 'The window begins on it; fitted on what came before.';
comment on column analytics.value_backtest.metric is
'''error'', ''spearman'', ''gini'', ''mae'', ''total_ratio'' ...; see docs/value-models.md.';
comment on column analytics.value_backtest.model_version is
'The model these numbers led to: row of control.models.';
comment on column analytics.value_backtest.is_champion is 'Whether it values the firm''s customers.';
comment on column analytics.value_backtest.horizon_days is 'Length of the window.';
comment on column analytics.value_backtest.customers is 'Customers valued.';
comment on column analytics.value_backtest.measured is 'Value of the metric; null when it is not defined.';

comment on column analytics.churn_performance_metrics.model_version is 'The model these numbers led to.';
comment on column analytics.churn_performance_metrics.candidate is
'''lightgbm'', ''bgnbd'', ''bgnbd_uncalibrated'' or ''recency''.';
comment on column analytics.churn_performance_metrics.population is
'''all'', ''one_time_buyers'' or ''repeat_buyers''.';
comment on column analytics.churn_performance_metrics.is_champion is 'The candidate that scores.';
comment on column analytics.churn_performance_metrics.cutoff is 'The evaluation window begins on it.';
comment on column analytics.churn_performance_metrics.horizon_days is 'Length of the window.';
comment on column analytics.churn_performance_metrics.customers is 'Customers evaluated.';
comment on column analytics.churn_performance_metrics.churned is 'Of whom bought nothing in the window.';
comment on column analytics.churn_performance_metrics.auc is
'Ranking: 0.5 is chance, 1 is perfect; null with one outcome only.';
comment on column analytics.churn_performance_metrics.pr_auc is 'Area under precision and recall.';
comment on column analytics.churn_performance_metrics.brier is 'Mean squared error of the probability.';
comment on column analytics.churn_performance_metrics.log_loss is 'Mean negative log-likelihood.';
comment on column analytics.churn_performance_metrics.ece is 'Expected calibration error, ten bins.';
comment on column analytics.churn_performance_metrics.threshold is
'Probability from which a customer is called a churner.';
comment on column analytics.churn_performance_metrics.accuracy is 'Share of customers called right.';
comment on column analytics.churn_performance_metrics.precision is
'Share of those called churners who are.';
comment on column analytics.churn_performance_metrics.recall is 'Share of churners called so.';
comment on column analytics.churn_performance_metrics.f1 is 'Harmonic mean of precision and recall.';
comment on column analytics.churn_performance_metrics.true_positives is 'Churners called so.';
comment on column analytics.churn_performance_metrics.false_positives is 'Others called churners.';
comment on column analytics.churn_performance_metrics.false_negatives is 'Churners not called.';
comment on column analytics.churn_performance_metrics.true_negatives is 'Others not called.';

comment on column analytics.churn_feature_importances.model_version is 'The model.';
comment on column analytics.churn_feature_importances.feature is 'A column of customer_features.';
comment on column analytics.churn_feature_importances.factor is 'The churn factor it speaks of.';
comment on column analytics.churn_feature_importances.place is
'1 is the most important, by mean contribution.';
comment on column analytics.churn_feature_importances.gain is 'Total gain of its splits.';
comment on column analytics.churn_feature_importances.splits is 'Splits on it.';
comment on column analytics.churn_feature_importances.mean_contribution is
'Mean size of its TreeSHAP value, in log-odds.';

comment on column control.model_checks.model_version is 'The model.';
comment on column control.model_checks.check_name is '''shuffled_labels'', ''future_information'' ...';
comment on column control.model_checks.observed is
'AUC, gain or share of labels; null when nothing could be compared.';
comment on column control.model_checks.allowed is 'How far it may lie off.';
comment on column control.model_checks.passed is 'Whether the model may be used.';
comment on column control.model_checks.message is 'What was seen, in words.';

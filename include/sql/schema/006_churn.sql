-- Churn: each customer's risk, the models that said so, and how right they were once windows had passed.

create table control.models (
    firm_key text not null,
    module text not null,
    model_version text not null,
    anchor date not null,
    is_standing boolean not null,
    method text not null,
    reason text not null,
    is_sufficient boolean not null,
    horizon_days integer not null check (horizon_days >= 1),
    training_cutoffs date[] not null,
    training_customers bigint[] not null,
    settings jsonb not null,
    sentinel_checks integer not null,
    sentinel_checks_passed integer not null,
    manifest_token bigint not null,
    manifest_sha256 text not null,
    trained_at timestamptz,
    primary key (firm_key, module, model_version)
);

create index models_anchor on control.models (firm_key, module, anchor);

comment on table control.models is
'One row per model ever trained: what it is, what it knew, and the hash of the artefact it can be read from.';
comment on column control.models.module is 'Module it serves: churn.';
comment on column control.models.model_version is
'Anchor and a hash of all parts of the model; facts carry it.';
comment on column control.models.anchor is 'Day before which its data ends; it scores from that day on.';
comment on column control.models.is_standing is
'Whether the anchor holds this model now; false of one that was trained anew.';
comment on column control.models.method is
'Champion that scores: ''lightgbm'', ''bgnbd'', ''recency'' or ''rules''.';
comment on column control.models.reason is 'Why that one was chosen, with the numbers compared.';
comment on column control.models.is_sufficient is 'Whether the firm''s past was enough for a tested model.';
comment on column control.models.horizon_days is 'Length of the window it predicts.';
comment on column control.models.training_cutoffs is
'Days that part features from outcomes; the last one is the evaluation window''s.';
comment on column control.models.training_customers is 'Customers at each of those days.';
comment on column control.models.settings is 'The firm''s settings that it was trained with.';
comment on column control.models.sentinel_checks is 'Canaries of the leak sentinel in its training.';
comment on column control.models.sentinel_checks_passed is
'How many of them lived; fewer than all and rules score.';
comment on column control.models.manifest_sha256 is 'Hash of the handoff that holds the artefact.';
comment on column control.models.trained_at is 'When the attempt that trained it began, UTC.';

create table control.model_checks (
    firm_sk integer not null references analytics.dim_firm,
    anchor date not null,
    check_name text not null,
    model_version text not null,
    observed double precision,
    allowed double precision not null,
    passed boolean not null,
    message text not null,
    manifest_token bigint not null,
    primary key (firm_sk, anchor, check_name)
);

comment on table control.model_checks is
'One row per canary of the leak sentinel in an anchor''s training.';
comment on column control.model_checks.anchor is 'Day before which the model''s data ends.';

create table analytics.fact_customer_churn_risk (
    firm_sk integer not null,
    as_of date not null,
    date_sk integer not null,
    customer_sk bigint not null,
    days_since_last_order integer not null check (days_since_last_order >= 1),
    orders_last_30_days bigint not null check (orders_last_30_days >= 0),
    orders_last_90_days bigint not null check (orders_last_90_days >= 0),
    spend_last_30_days numeric(18, 4) not null check (spend_last_30_days <> 'NaN'),
    spend_last_90_days numeric(18, 4) not null check (spend_last_90_days <> 'NaN'),
    order_frequency_trend text not null,
    spend_trend text not null,
    avg_order_interval_change_pct double precision check (avg_order_interval_change_pct <> 'NaN'),
    returns_count_90_days bigint not null check (returns_count_90_days >= 0),
    churn_probability double precision check (churn_probability between 0 and 1),
    churn_risk_score integer not null check (churn_risk_score between 0 and 100),
    churn_risk_category text not null check (churn_risk_category in ('Low', 'Medium', 'High', 'Critical')),
    churn_risk_band text not null check (churn_risk_band in ('low', 'medium', 'high')),
    predicted_churn_date date,
    days_until_predicted_churn integer,
    top_churn_factor_1 text,
    top_churn_factor_2 text,
    top_churn_factor_3 text,
    top_churn_factor_1_text text,
    top_churn_factor_2_text text,
    top_churn_factor_3_text text,
    intervention_priority smallint not null check (intervention_priority between 1 and 5),
    recommended_action text not null,
    recommended_action_text text not null,
    method text not null,
    model_version text not null,
    horizon_days integer not null,
    manifest_token bigint not null,
    check ((method = 'rules') = (churn_probability is null)),
    primary key (firm_sk, as_of, customer_sk)
) partition by list (firm_sk);

create index fact_customer_churn_risk_date_sk on analytics.fact_customer_churn_risk (date_sk);
create index fact_customer_churn_risk_customer_sk on analytics.fact_customer_churn_risk (customer_sk, as_of);
create index fact_customer_churn_risk_priority
on analytics.fact_customer_churn_risk (as_of, intervention_priority);

comment on table analytics.fact_customer_churn_risk is
'One row per customer with a sale before as_of and snapshot: churn probability or score, reasons, action.';
comment on column analytics.fact_customer_churn_risk.date_sk is 'Row of dim_date for as_of.';
comment on column analytics.fact_customer_churn_risk.horizon_days is
'Days of silence from as_of on that count as churn: what the model predicts.';
comment on column analytics.fact_customer_churn_risk.model_version is
'The model that scored: row of control.models.';

create table analytics.churn_performance_metrics (
    firm_sk integer not null references analytics.dim_firm,
    anchor date not null,
    candidate text not null,
    population text not null,
    model_version text not null,
    is_champion boolean not null,
    cutoff date not null,
    horizon_days integer not null,
    customers bigint not null,
    churned bigint not null,
    auc double precision check (auc between 0 and 1),
    pr_auc double precision,
    brier double precision,
    log_loss double precision,
    ece double precision,
    threshold double precision not null,
    accuracy double precision,
    precision double precision,
    recall double precision,
    f1 double precision,
    true_positives bigint not null,
    false_positives bigint not null,
    false_negatives bigint not null,
    true_negatives bigint not null,
    manifest_token bigint not null,
    primary key (firm_sk, anchor, candidate, population)
);

comment on table analytics.churn_performance_metrics is
'One row per anchor, candidate and population: its numbers on an evaluation window later than its training.';
comment on column analytics.churn_performance_metrics.anchor is 'Day before which the model''s data ends.';

create table analytics.churn_feature_importances (
    firm_sk integer not null references analytics.dim_firm,
    anchor date not null,
    feature text not null,
    model_version text not null,
    factor text not null,
    place integer not null check (place >= 1),
    gain double precision not null,
    splits bigint not null,
    mean_contribution double precision not null,
    manifest_token bigint not null,
    primary key (firm_sk, anchor, feature)
);

comment on table analytics.churn_feature_importances is
'One row per anchor and feature of its churn trees: how much it is used; none where trees were not trained.';
comment on column analytics.churn_feature_importances.anchor is 'Day before which the model''s data ends.';

create table analytics.fact_scorecard (
    firm_sk integer not null references analytics.dim_firm,
    module text not null,
    as_of date not null,
    decile smallint not null check (decile between 0 and 10),
    horizon_days integer not null check (horizon_days >= 1),
    matured_on date not null,
    model_version text not null,
    method text not null,
    customers bigint not null check (customers >= 1),
    predicted_mean double precision,
    realised_mean double precision not null,
    predicted_total double precision,
    predicted_low double precision,
    predicted_high double precision,
    realised_total double precision not null,
    lift double precision,
    auc double precision check (auc between 0 and 1),
    normalised_gini double precision,
    brier double precision,
    calibration_error double precision,
    made_from text not null,
    primary key (firm_sk, module, as_of, decile)
);

comment on table analytics.fact_scorecard is
'One row per module, snapshot whose window has passed and decile of prediction: predicted and realised.';
comment on column analytics.fact_scorecard.module is 'Module whose prediction is scored: churn.';
comment on column analytics.fact_scorecard.as_of is 'Snapshot that predicted.';
comment on column analytics.fact_scorecard.decile is
'10 is the tenth with the highest prediction, equal predictions together; 0 is all customers.';
comment on column analytics.fact_scorecard.horizon_days is 'Length of the window that was predicted.';
comment on column analytics.fact_scorecard.matured_on is
'The window''s end, exclusive: from this day on the outcome is known.';
comment on column analytics.fact_scorecard.model_version is 'The model that predicted.';
comment on column analytics.fact_scorecard.method is 'The method that predicted.';
comment on column analytics.fact_scorecard.customers is 'Customers.';
comment on column analytics.fact_scorecard.predicted_mean is
'Mean prediction: of churn the mean probability; null where rules scored, which predict none.';
comment on column analytics.fact_scorecard.realised_mean is 'Mean outcome: of churn the share that churned.';
comment on column analytics.fact_scorecard.predicted_total is
'Sum of predictions: of churn expected churners.';
comment on column analytics.fact_scorecard.predicted_low is
'Lower end of the interval given for the total; null where the module gives none.';
comment on column analytics.fact_scorecard.predicted_high is
'Upper end of the interval given for the total; null where the module gives none.';
comment on column analytics.fact_scorecard.realised_total is 'Sum of outcomes: of churn the churners.';
comment on column analytics.fact_scorecard.lift is
'Mean outcome over that of all customers; null when nothing happened.';
comment on column analytics.fact_scorecard.auc is
'Of all customers: chance that one who churned was ranked above one who did not; null with one outcome only.';
comment on column analytics.fact_scorecard.normalised_gini is
'Of all customers: ranking, 0 is chance and 1 perfect; of churn 2 AUC - 1.';
comment on column analytics.fact_scorecard.brier is
'Of all customers: mean squared distance of probability and outcome.';
comment on column analytics.fact_scorecard.calibration_error is
'Of all customers: mean distance of predicted and realised shares, over ten bins of equal width.';
comment on column analytics.fact_scorecard.made_from is
'Hash of the loads it was computed from; when a correction changes one, the row is computed anew.';

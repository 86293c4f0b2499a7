-- What a snapshot expects each customer to spend, to be held against what was spent; and clusters.

alter table analytics.fact_customer_ltv
add column cluster_code text,
add column cluster_description text,
add column spend_horizon_days integer check (spend_horizon_days >= 1),
add column expected_spend_1_year numeric(18, 4) check (expected_spend_1_year <> 'NaN'),
add column spend_deviation_1_year double precision check (spend_deviation_1_year >= 0),
add column total_doubt_1_year double precision check (total_doubt_1_year >= 0),
add column expected_spend_horizon numeric(18, 4) check (expected_spend_horizon <> 'NaN'),
add column spend_deviation_horizon double precision check (spend_deviation_horizon >= 0),
add column total_doubt_horizon double precision check (total_doubt_horizon >= 0),
add column total_reach double precision check (total_reach >= 0);

-- Value is scored over the firm's backtest horizon and over a year.
alter table analytics.fact_scorecard drop constraint fact_scorecard_pkey;
alter table analytics.fact_scorecard
add constraint fact_scorecard_pkey primary key (firm_sk, module, as_of, horizon_days, decile);

comment on table analytics.fact_scorecard is
'One row per module, snapshot, horizon that has passed and decile of prediction: predicted and realised.';
comment on column analytics.fact_scorecard.module is 'Module whose prediction is scored: churn or ltv.';
comment on column analytics.fact_scorecard.predicted_mean is
'Mean prediction: of churn probability, null where rules scored, which predict none; of ltv net spend.';
comment on column analytics.fact_scorecard.realised_mean is
'Mean outcome: of churn the share that churned; of ltv net spend.';
comment on column analytics.fact_scorecard.predicted_total is
'Sum of predictions: of churn expected churners; of ltv net spend.';
comment on column analytics.fact_scorecard.realised_total is
'Sum of outcomes: of churn the churners; of ltv net spend, sales less returns.';
comment on column analytics.fact_scorecard.predicted_low is
'Lower end of the 80 percent interval for the total; null where the module gives none.';
comment on column analytics.fact_scorecard.predicted_high is
'Upper end of the 80 percent interval for the total; null where the module gives none.';
comment on column analytics.fact_scorecard.normalised_gini is
'Of all customers: ranking, 0 is chance and 1 perfect; of churn 2 AUC - 1, of ltv of net spend.';
comment on column analytics.fact_scorecard.calibration_error is
'Of all: of churn mean distance of shares over ten bins; of ltv of spend over the deciles, by mean spend.';

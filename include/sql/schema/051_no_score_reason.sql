-- Customers without a churn score, or with one that only ranks.

alter table analytics.fact_customer_churn_risk
alter column churn_risk_score drop not null,
alter column churn_risk_category drop not null,
alter column churn_risk_band drop not null,
alter column intervention_priority drop not null,
alter column recommended_action drop not null,
alter column recommended_action_text drop not null,
add column no_score_reason text check (no_score_reason in ('too_new', 'no_known_outcome')),
add check ((churn_risk_score is null) = (coalesce(no_score_reason, '') = 'too_new')),
add check ((churn_risk_category is null) = (no_score_reason is not null)),
add check ((method = 'rules' or churn_risk_score is null) = (churn_probability is null)),
drop constraint fact_customer_churn_risk_check;

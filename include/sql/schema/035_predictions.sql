-- Added predictions: the next order beside the churn probability it agrees with, and expected
-- spend over 90 and 180 days, each from the model of its own horizon where the history allows one.

alter table analytics.fact_customer_churn_risk
add column order_probability_30_days double precision check (order_probability_30_days between 0 and 1),
add column order_probability_90_days double precision check (order_probability_90_days between 0 and 1),
add column order_probability_365_days double precision check (order_probability_365_days between 0 and 1),
add column any_order_probability double precision check (any_order_probability between 0 and 1),
add column next_order_date_25_pct date check (next_order_date_25_pct >= as_of),
add column next_order_date_50_pct date check (next_order_date_50_pct >= next_order_date_25_pct),
add column next_order_date_75_pct date check (next_order_date_75_pct >= next_order_date_50_pct);

alter table analytics.fact_customer_ltv
add column expected_spend_90_days numeric(18, 4) check (expected_spend_90_days <> 'NaN'),
add column expected_spend_180_days numeric(18, 4) check (expected_spend_180_days <> 'NaN');

comment on column control.models.method is
'Champion: of churn ''lightgbm'', ''bgnbd'', ''bgnbd_uncalibrated'', ''recency'' or ''rules''; of ltv see '
'fact_customer_ltv.method.';

-- Methods of churn that were added: BG/NBD moved by the season, and Pareto/NBD.

comment on column control.models.method is
'Champion: of churn ''lightgbm'', ''bgnbd'', ''bgnbd_uncalibrated'', ''bgnbd_season'', ''paretonbd'', '
'''recency'' or ''rules''; of ltv see fact_customer_ltv.method.';

comment on column analytics.churn_performance_metrics.candidate is
'''lightgbm'', ''lightgbm_season'', ''bgnbd'', ''bgnbd_uncalibrated'', ''bgnbd_season'', ''paretonbd'' or '
'''recency''.';

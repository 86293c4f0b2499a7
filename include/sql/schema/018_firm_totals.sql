-- Sums over a firm's customers may exceed numeric(18, 4), the type of one amount: each customer may come to
-- its limit. Only the precision changes, so Postgres rewrites no row.

alter table analytics.fact_firm_metric
alter column numerator type numeric(38, 4),
alter column denominator type numeric(38, 4),
alter column metric_value type numeric(38, 4);

alter table analytics.fact_campaign_performance
alter column spend type numeric(38, 4);

alter table control.rejections
alter column net_amount type numeric(38, 4);

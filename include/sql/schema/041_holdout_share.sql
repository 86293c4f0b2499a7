-- The planned share of the holdout is kept with each decision, so that the split can be checked.

alter table analytics.fact_action
add column holdout_share double precision check (holdout_share between 0 and 1);

-- A decision holds for its quarter: the day it was made, the customer's group, and what was expected of it.

alter table analytics.fact_action
add column decided_date date,
add column arm text check (arm in ('action', 'holdout', 'business_as_usual')),
add column value_at_stake numeric(18, 4) check (value_at_stake <> 'NaN'),
add column expected_lift double precision check (expected_lift between 0 and 1),
add column lift_error double precision check (lift_error > 0),
add column usual_share double precision check (usual_share between 0 and 1);

-- Whether a customer may be contacted, and why an action was not planned for a customer.

alter table analytics.dim_customer add column may_contact boolean;

alter table analytics.fact_action
add column exclusion text
check (exclusion in ('unsubscribed', 'consent_unknown', 'recently_contacted', 'assigned_elsewhere')),
add constraint fact_action_excluded_is_not_chosen
check (exclusion is null or not (is_chosen or is_holdout));

-- Indexes of tables that all firms share begin with the firm: a scan of one reads no other firm's rows, so
-- EXPLAIN ANALYZE does not count them. Keys that are only a row's number are left as they are.

alter table pii.customer_contact drop constraint customer_contact_pkey;
alter table pii.customer_contact add primary key (firm_sk, customer_sk);
drop index pii.customer_contact_firm_sk;

drop index analytics.fact_campaign_performance_campaign_sk;
create index fact_campaign_performance_campaign_sk
on analytics.fact_campaign_performance (firm_sk, campaign_sk, order_date);

-- state: stores a snapshot's values, which later changes are compared with.
-- Grain: customer_sk. Params: :firm_key, :firm_sk, :as_of.

insert into control.outbox_state (
    firm_sk, customer_sk, rfm_score, rfm_segment, clv_segment, churn_risk_category
)
select
    :firm_sk as firm_sk,
    golden.customer_sk,
    golden.rfm_score,
    golden.rfm_segment,
    golden.clv_segment,
    golden.churn_risk_category
from mart.analytic_customer(:firm_key, :as_of) as golden
on conflict (firm_sk, customer_sk) do update
    set
        rfm_score = excluded.rfm_score,
        rfm_segment = excluded.rfm_segment,
        clv_segment = excluded.clv_segment,
        churn_risk_category = excluded.churn_risk_category
    where
    (
        outbox_state.rfm_score,
        outbox_state.rfm_segment,
        outbox_state.clv_segment,
        outbox_state.churn_risk_category
    ) is distinct from (
        excluded.rfm_score, excluded.rfm_segment, excluded.clv_segment, excluded.churn_risk_category
    );

insert into control.outbox_snapshots (firm_sk, as_of)
values (:firm_sk, :as_of)
on conflict (firm_sk) do update
    set as_of = excluded.as_of;

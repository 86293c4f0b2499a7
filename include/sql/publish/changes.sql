-- changes: enqueues each customer's changes since the stored state.
-- The first snapshot has no stored state to compare with, so it enqueues nothing.
-- Grain of the inserted rows: customer_sk. Params: :firm_key, :firm_sk, :as_of.
-- A value is stored as [before, after]; before is null for a new customer.

with seen as (

    select
        golden.customer_sk,
        golden.rfm_score,
        golden.rfm_segment,
        golden.clv_segment,
        golden.churn_risk_category
    from mart.analytic_customer(:firm_key, :as_of) as golden

),

moved as (

    select
        seen.customer_sk,
        jsonb_strip_nulls(
            jsonb_build_object(
                'rfm_score',
                case
                    when seen.rfm_score is distinct from previous.rfm_score
                        then jsonb_build_array(previous.rfm_score, seen.rfm_score)
                end,
                'rfm_segment',
                case
                    when seen.rfm_segment is distinct from previous.rfm_segment
                        then jsonb_build_array(previous.rfm_segment, seen.rfm_segment)
                end,
                'clv_segment',
                case
                    when seen.clv_segment is distinct from previous.clv_segment
                        then jsonb_build_array(previous.clv_segment, seen.clv_segment)
                end,
                'churn_risk_category',
                case
                    when seen.churn_risk_category is distinct from previous.churn_risk_category
                        then jsonb_build_array(previous.churn_risk_category, seen.churn_risk_category)
                end
            )
        ) as changes
    from seen
    left join control.outbox_state as previous
        on
            previous.firm_sk = :firm_sk
            and seen.customer_sk = previous.customer_sk

)

insert into control.outbox (firm_sk, customer_sk, as_of, changes)
select
    :firm_sk as firm_sk,
    moved.customer_sk,
    :as_of as as_of,
    moved.changes
from moved
where
    moved.changes <> '{}'::jsonb
    and exists (
        select 1 as found
        from control.outbox_snapshots
        where outbox_snapshots.firm_sk = :firm_sk
    )
order by moved.customer_sk;

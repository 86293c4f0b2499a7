-- fact_customer_rfm: replaces one snapshot of a firm. What compares with the snapshot before is derived
-- here, and anew for the snapshot after, so that snapshots may be loaded in any order.
-- Grain: customer_sk, as_of. Params: :firm_sk, :as_of, :manifest_token.

select analytics.add_customers(
    :firm_sk,
    array(select stg_rfm.customer_id from pg_temp.stg_rfm)
) as added;

insert into analytics.dim_customer_segment (firm_sk, segment_code, segment_name, segment_type)
select distinct
    :firm_sk as firm_sk,
    stg_rfm.segment_code,
    initcap(replace(stg_rfm.segment_code, '_', ' ')) as segment_name,
    'rfm' as segment_type
from pg_temp.stg_rfm
left join analytics.dim_customer_segment
    on
        dim_customer_segment.firm_sk = :firm_sk
        and stg_rfm.segment_code = dim_customer_segment.segment_code
where dim_customer_segment.segment_sk is null
on conflict (firm_sk, segment_code) do nothing;

delete from analytics.fact_customer_rfm
where
    fact_customer_rfm.firm_sk = :firm_sk
    and fact_customer_rfm.as_of = :as_of;

insert into analytics.fact_customer_rfm (
    firm_sk,
    as_of,
    date_sk,
    customer_sk,
    days_since_last_order,
    last_order_date,
    order_count_30_days,
    total_spend_30_days,
    order_count_90_days,
    total_spend_90_days,
    order_count_180_days,
    total_spend_180_days,
    order_count_365_days,
    total_spend_365_days,
    order_count,
    total_spend,
    window_orders,
    window_spend,
    avg_days_between_orders,
    avg_order_value,
    recency_score,
    frequency_score,
    monetary_score,
    rfm_score,
    recency_percentile,
    frequency_percentile,
    monetary_percentile,
    rfm_segment_sk,
    activity_status,
    previous_rfm_score,
    previous_segment_sk,
    rfm_score_change,
    segment_changed,
    manifest_token
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    stg_rfm.days_since_last_order,
    stg_rfm.last_order_date,
    stg_rfm.order_count_30_days,
    stg_rfm.total_spend_30_days,
    stg_rfm.order_count_90_days,
    stg_rfm.total_spend_90_days,
    stg_rfm.order_count_180_days,
    stg_rfm.total_spend_180_days,
    stg_rfm.order_count_365_days,
    stg_rfm.total_spend_365_days,
    stg_rfm.order_count,
    stg_rfm.total_spend,
    stg_rfm.window_orders,
    stg_rfm.window_spend,
    stg_rfm.avg_days_between_orders,
    stg_rfm.avg_order_value,
    stg_rfm.recency_score,
    stg_rfm.frequency_score,
    stg_rfm.monetary_score,
    stg_rfm.rfm_score,
    stg_rfm.recency_percentile,
    stg_rfm.frequency_percentile,
    stg_rfm.monetary_percentile,
    dim_customer_segment.segment_sk as rfm_segment_sk,
    stg_rfm.activity_status,
    earlier.rfm_score as previous_rfm_score,
    earlier.rfm_segment_sk as previous_segment_sk,
    earlier.rfm_score || '->' || stg_rfm.rfm_score as rfm_score_change,
    earlier.rfm_segment_sk <> dim_customer_segment.segment_sk as segment_changed,
    :manifest_token as manifest_token
from pg_temp.stg_rfm
inner join analytics.dim_date on dim_date.date_actual = :as_of
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_rfm.customer_id = dim_customer.customer_id
inner join analytics.dim_customer_segment
    on
        dim_customer_segment.firm_sk = :firm_sk
        and stg_rfm.segment_code = dim_customer_segment.segment_code
left join analytics.fact_customer_rfm as earlier
    on
        earlier.firm_sk = :firm_sk
        and earlier.as_of = (
            select max(dim_snapshot.as_of) as as_of
            from analytics.dim_snapshot
            where
                dim_snapshot.firm_sk = :firm_sk
                and dim_snapshot.fact_name = 'fact_customer_rfm'
                and dim_snapshot.as_of < :as_of
        )
        and dim_customer.customer_sk = earlier.customer_sk;

with following as (

    select
        later.customer_sk,
        later.as_of,
        earlier.rfm_score as previous_rfm_score,
        earlier.rfm_segment_sk as previous_segment_sk
    from analytics.fact_customer_rfm as later
    left join analytics.fact_customer_rfm as earlier
        on
            earlier.firm_sk = :firm_sk
            and earlier.as_of = :as_of
            and later.customer_sk = earlier.customer_sk
    where
        later.firm_sk = :firm_sk
        and later.as_of = (
            select min(dim_snapshot.as_of) as as_of
            from analytics.dim_snapshot
            where
                dim_snapshot.firm_sk = :firm_sk
                and dim_snapshot.fact_name = 'fact_customer_rfm'
                and dim_snapshot.as_of > :as_of
        )

)

update analytics.fact_customer_rfm
set
    previous_rfm_score = following.previous_rfm_score,
    previous_segment_sk = following.previous_segment_sk,
    rfm_score_change = following.previous_rfm_score || '->' || fact_customer_rfm.rfm_score,
    segment_changed = following.previous_segment_sk <> fact_customer_rfm.rfm_segment_sk
from following
where
    fact_customer_rfm.firm_sk = :firm_sk
    and fact_customer_rfm.as_of = following.as_of
    and fact_customer_rfm.customer_sk = following.customer_sk
    and (fact_customer_rfm.previous_rfm_score, fact_customer_rfm.previous_segment_sk)
    is distinct from (following.previous_rfm_score, following.previous_segment_sk);

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
    rfm_segment_sk,
    previous_rfm_score,
    previous_segment_sk,
    rfm_score_change,
    segment_changed,
    manifest_token
    /*, every column of rfm but customer_id, segment_code */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_customer_segment.segment_sk as rfm_segment_sk,
    earlier.rfm_score as previous_rfm_score,
    earlier.rfm_segment_sk as previous_segment_sk,
    earlier.rfm_score || '->' || stg_rfm.rfm_score as rfm_score_change,
    earlier.rfm_segment_sk <> dim_customer_segment.segment_sk as segment_changed,
    :manifest_token as manifest_token
    /*, the same columns of stg_rfm */
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

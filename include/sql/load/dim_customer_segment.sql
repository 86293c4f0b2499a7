-- dim_customer_segment: one row per segment of the firm's decision table. A segment that has left the
-- table stays, inactive: older snapshots refer to it.
-- Grain: segment_code. Params: :firm_sk, :as_of.

insert into analytics.dim_customer_segment (firm_sk, segment_code, segment_name, segment_type)
select
    :firm_sk as firm_sk,
    stg_segments.segment_code,
    stg_segments.segment_name,
    stg_segments.segment_type
from pg_temp.stg_segments
left join analytics.dim_customer_segment
    on
        dim_customer_segment.firm_sk = :firm_sk
        and stg_segments.segment_code = dim_customer_segment.segment_code
where dim_customer_segment.segment_sk is null
order by stg_segments.segment_code
on conflict (firm_sk, segment_code) do nothing;

update analytics.dim_customer_segment
set
    segment_name = stg_segments.segment_name,
    segment_description = stg_segments.segment_description,
    segment_type = stg_segments.segment_type,
    segment_criteria = stg_segments.cells,
    target_marketing_strategy = stg_segments.target_marketing_strategy,
    retention_priority = stg_segments.retention_priority,
    value_tier = stg_segments.value_tier,
    usual_gap_days = stg_segments.usual_gap_days,
    min_orders = stg_segments.min_orders,
    min_silent_days = stg_segments.min_silent_days,
    max_silent_days = stg_segments.max_silent_days,
    next_segment = stg_segments.next_segment,
    parent_segment_sk = parent.segment_sk,
    as_of = :as_of
from pg_temp.stg_segments
left join analytics.dim_customer_segment as parent
    on
        parent.firm_sk = :firm_sk
        and stg_segments.parent_segment = parent.segment_code
where
    dim_customer_segment.firm_sk = :firm_sk
    and dim_customer_segment.segment_code = stg_segments.segment_code
    and (dim_customer_segment.as_of is null or dim_customer_segment.as_of <= :as_of);

update analytics.dim_customer_segment
set is_active = latest.as_of is not distinct from dim_customer_segment.as_of
from (
    select max(newest.as_of) as as_of
    from analytics.dim_customer_segment as newest
    where newest.firm_sk = :firm_sk
) as latest
where
    dim_customer_segment.firm_sk = :firm_sk
    and dim_customer_segment.is_active <> (latest.as_of is not distinct from dim_customer_segment.as_of);

-- dim_customer_segment: segments missing from the table, and duplicate segment names.
-- Params: :firm_sk.

select
    'segment missing from dim_customer_segment' as fault,
    stg_segments.segment_code as sample
from pg_temp.stg_segments
left join analytics.dim_customer_segment
    on
        dim_customer_segment.firm_sk = :firm_sk
        and stg_segments.segment_code = dim_customer_segment.segment_code
where dim_customer_segment.segment_sk is null

union all

select
    'segment_name used twice' as fault,
    stg_segments.segment_name as sample
from pg_temp.stg_segments
group by stg_segments.segment_name
having count(*) > 1;

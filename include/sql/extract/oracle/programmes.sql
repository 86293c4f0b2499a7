-- programmes: one row per loyalty programme.
-- Grain: programme_id. No params.

with typed as (

    select
        nullif(cast(dwh_program_id as varchar(4000)), '') as programme_text,
        nullif(cast(program_name as varchar(4000)), '') as programme_name
    from programs

)

select
    programme_text as programme_id,
    programme_name,
    case when programme_text is null then 'missing_id' end as rejected_reason
from typed

-- migrations: customers who changed segment, joined or left between two snapshots.
-- Grain: from_segment, to_segment. Params: :firm_key, :from_as_of, :as_of.

select
    shown.from_segment,
    shown.to_segment,
    shown.customers_migrated,
    shown.migration_direction
from mart.segment_migration(:firm_key, :from_as_of, :as_of) as shown
order by
    shown.customers_migrated desc,
    shown.from_segment asc,
    shown.to_segment asc;

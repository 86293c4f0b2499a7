-- module_status: what each module of the firm could say at a snapshot, and what is missing.
-- Grain: module. Params: :firm_key, :as_of.

select
    module_status.module,
    module_status.is_sufficient,
    module_status.reason
from control.module_status
where
    module_status.firm_key = :firm_key
    and module_status.as_of = :as_of
order by module_status.module;

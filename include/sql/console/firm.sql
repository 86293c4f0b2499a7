-- firm: the configuration of one firm.
-- Grain: one row. Params: :firm_key.

select
    firms.firm_key,
    firms.currency,
    firms.modules
from control.firms
where
    firms.firm_key = :firm_key
    and firms.removed_at is null;

-- The console's firms: the role firmament_console sees the firms that the setting firmament.firms of its
-- transaction lists, separated by commas; none without the setting. Only this role's policies read it.

create function control.console_firm_keys()
returns text[]
language sql
stable
parallel safe
set search_path = ''
as $$
select coalesce(string_to_array(nullif(current_setting('firmament.firms', true), ''), ','), '{}')
$$;

create function control.console_firms()
returns integer[]
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
select coalesce(array_agg(dim_firm.firm_sk), '{}')
from analytics.dim_firm
where dim_firm.firm_key = any(control.console_firm_keys())
$$;

-- Declared immutable for the same reason as control.planned_firms: the plan then has no partition of another
-- firm. A cached plan keeps the firms it was made for, and console_firms, which is evaluated whenever a
-- statement starts, then leaves no row. The console discards cached plans before it changes the setting.
create function control.planned_console_firms()
returns integer[]
language plpgsql
immutable
parallel safe
security definer
set search_path = ''
as $$
begin
    return control.console_firms();
end
$$;

revoke execute on function
control.console_firm_keys, control.console_firms, control.planned_console_firms from public;

comment on function control.console_firm_keys is
'Keys of the firms that the console''s user may see: the setting firmament.firms of this transaction.';
comment on function control.console_firms is 'The same firms by their surrogate key.';
comment on function control.planned_console_firms is 'console_firms, evaluated when a statement is planned.';

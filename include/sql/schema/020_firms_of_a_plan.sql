-- Firms as constants of a plan, so that row-level security prunes other firms' partitions.

-- Declared immutable although it reads a table: the planner then replaces the call by its result, an array
-- of constants, and removes every other partition from the plan. A cached plan may keep an old result, so
-- each policy also tests control.visible_firms, which is evaluated whenever a statement starts.
create function control.planned_firms(wanted_role text)
returns integer[]
language plpgsql
immutable
parallel safe
security definer
set search_path = ''
as $$
begin
    if current_setting('enable_partition_pruning') <> 'on' then
        raise exception 'rows of a firm are shown only while partition pruning is on'
            using errcode = 'insufficient_privilege',
            hint = 'Run: set enable_partition_pruning = on';
    end if;
    return control.visible_firms(wanted_role);
end
$$;

create function control.planned_firm_keys()
returns text[]
language plpgsql
immutable
parallel safe
security definer
set search_path = ''
as $$
begin
    return control.visible_firm_keys();
end
$$;

revoke execute on function control.planned_firms, control.planned_firm_keys from public;

alter function control.visible_firms parallel safe;
alter function control.visible_firm_keys parallel safe;

comment on function control.planned_firms is
'visible_firms, evaluated when a statement is planned; an error while partition pruning is off.';
comment on function control.planned_firm_keys is 'visible_firm_keys, evaluated when a statement is planned.';

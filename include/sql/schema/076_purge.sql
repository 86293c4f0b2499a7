-- A purge of a whole firm deletes its decisions too; nothing else may.

create or replace function control.refuse_change() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'DELETE' and current_setting('firmament.purge', true) = 'yes' then
        return null;
    end if;
    raise exception '% is append-only: take a new decision instead', tg_table_name;
end
$$;

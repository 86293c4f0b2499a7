-- What loads and scores ask of the loads so far.

create function control.latest_load(firm_sk integer, table_name text)
returns date
language sql
stable
as $$

select max(loads.as_of) as as_of
from control.loads
inner join analytics.dim_firm on loads.firm_key = dim_firm.firm_key
where
    dim_firm.firm_sk = latest_load.firm_sk
    and loads.table_name = latest_load.table_name;
$$;

comment on function control.latest_load is
'Latest as_of that a firm''s table was loaded at; null where it never was.';

create function analytics.sales_loaded_until(firm_sk integer)
returns date
language sql
stable
as $$

select max(dim_snapshot.as_of) as as_of
from analytics.dim_snapshot
where
    dim_snapshot.firm_sk = sales_loaded_until.firm_sk
    and dim_snapshot.fact_name = 'fact_sales';
$$;

comment on function analytics.sales_loaded_until is
'Day before which a firm''s sales are loaded; null where none are.';

-- A slice is named month=2026-11 or 2026-11: its end is what tells it.
create function control.window_made_from(
    firm_key text, fact_name text, as_of date, matured_on date, scorer_sha256 text
)
returns text
language sql
stable
as $$

select
    encode(
        sha256(
            convert_to(
                window_made_from.scorer_sha256 || string_agg(
                    loads.slice || loads.manifest_sha256, ',' order by loads.table_name, loads.slice
                ),
                'UTF8'
            )
        ),
        'hex'
    ) as made_from
from control.loads
where
    loads.firm_key = window_made_from.firm_key
    and (
        (
            loads.table_name = window_made_from.fact_name
            and right(loads.slice, 10) = to_char(window_made_from.as_of, 'YYYY-MM-DD')
        )
        or (
            loads.table_name = 'fact_sales'
            and right(loads.slice, 7)
            between to_char(window_made_from.as_of, 'YYYY-MM')
            and to_char(window_made_from.matured_on - 1, 'YYYY-MM')
        )
    );
$$;

comment on function control.window_made_from is
'Hash of what the score of a window is made from: the snapshot, its sales and the scorer; null of no load.';

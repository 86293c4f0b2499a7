-- A slice has one text, 2026-11 or 2026-11-21. Releases before this one also wrote month=2026-11 and
-- as_of=2026-11-21 for the same slice; these rows get the one text, so that nothing is loaded again.

create temporary table slice_texts on commit drop as
select
    loads.ctid as place,
    row_number() over (
        partition by loads.firm_key, loads.table_name, split_part(loads.slice, '=', -1)
        order by loads.token desc, loads.manifest_token desc
    ) as rank
from control.loads;

delete from control.loads
using slice_texts
where
    loads.ctid = slice_texts.place
    and slice_texts.rank > 1;

update control.loads
set slice = split_part(slice, '=', -1)
where slice like '%=%';

update control.quality
set slice = split_part(slice, '=', -1)
where slice like '%=%';

delete from control.rejections
using control.rejections as newer
where
    rejections.firm_key = newer.firm_key
    and rejections.dataset = newer.dataset
    and split_part(rejections.slice, '=', -1) = split_part(newer.slice, '=', -1)
    and rejections.slice <> newer.slice
    and (rejections.token, rejections.slice) < (newer.token, newer.slice);

update control.rejections
set slice = split_part(slice, '=', -1)
where slice like '%=%';

comment on column control.loads.slice is 'Month or snapshot that was loaded: 2026-11 or 2026-11-21.';

-- dim_snapshot: records the snapshot of a fact. Every load of a fact runs it.
-- Params: :firm_sk, :fact_name, :as_of.

insert into analytics.dim_snapshot (firm_sk, fact_name, as_of, date_sk)
select
    :firm_sk as firm_sk,
    :fact_name as fact_name,
    dim_date.date_actual as as_of,
    dim_date.date_sk
from analytics.dim_date
where dim_date.date_actual = :as_of
on conflict do nothing;

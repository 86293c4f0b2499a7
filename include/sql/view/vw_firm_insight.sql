-- vw_firm_insight: the insight text about the firm, one row per sentence.
-- Grain: firm_key, language_code, place. The function takes any as_of, the view each firm's latest.

create or replace function mart.firm_insight(firm text, as_of date)
returns table (
    language_code text,
    place integer,
    is_firm_language boolean,
    kind text,
    rule_code text,
    sentence text,
    cited_metrics jsonb
)
language sql
stable
as $$
select
    fact_firm_insight.language_code,
    fact_firm_insight.place,
    fact_firm_insight.is_firm_language,
    fact_firm_insight.kind,
    fact_firm_insight.rule_code,
    fact_firm_insight.sentence,
    fact_firm_insight.cited_metrics
from analytics.dim_firm
inner join analytics.fact_firm_insight on dim_firm.firm_sk = fact_firm_insight.firm_sk
where
    dim_firm.firm_key = firm_insight.firm
    and fact_firm_insight.as_of = firm_insight.as_of
$$;

create or replace view mart.vw_firm_insight
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    written.*
from mart.vw_latest_snapshot
cross join lateral mart.firm_insight(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as written
where vw_latest_snapshot.fact_name = 'fact_firm_insight';

comment on function mart.firm_insight is 'vw_firm_insight of one firm at any as_of.';
comment on view mart.vw_firm_insight is
'One row per firm, language_code and sentence of its insight, at the firm''s latest snapshot.';
comment on column mart.vw_firm_insight.cited_metrics is
'List of metric, member and displayed value: rows of vw_firm_metric of the same snapshot.';

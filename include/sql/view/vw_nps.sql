-- vw_nps: the Net Promoter Score by month and stage of the survey.
-- Grain: firm_key, month_start, stage. The function takes any as_of, the view each firm's latest.
-- NPS is not additive: for another period sum promoters, detractors and answers, then divide.

create or replace function mart.nps(firm text, as_of date)
returns table (
    month_start date,
    stage text,
    responses bigint,
    answers bigint,
    promoters bigint,
    passives bigint,
    detractors bigint,
    nps numeric,
    is_complete boolean
)
language sql
stable
as $$
with surveys as (

    select
        date_trunc('month', fact_interaction.order_date)::date as month_start,
        coalesce(fact_interaction.activity_subtype, '(unknown)') as stage,
        count(*) as responses,
        count(fact_interaction.nps_score) as answers,
        count(*) filter (where fact_interaction.nps_score >= 9) as promoters,
        count(*) filter (where fact_interaction.nps_score between 7 and 8) as passives,
        count(*) filter (where fact_interaction.nps_score <= 6) as detractors
    from analytics.dim_firm
    inner join analytics.fact_interaction on dim_firm.firm_sk = fact_interaction.firm_sk
    where
        dim_firm.firm_key = nps.firm
        and fact_interaction.order_date < nps.as_of
        and fact_interaction.activity_type = 'nps'
    group by
        date_trunc('month', fact_interaction.order_date)::date,
        coalesce(fact_interaction.activity_subtype, '(unknown)')

)

select
    surveys.month_start,
    surveys.stage,
    surveys.responses,
    surveys.answers,
    surveys.promoters,
    surveys.passives,
    surveys.detractors,
    round(
        100.0 * (surveys.promoters - surveys.detractors) / nullif(surveys.answers, 0), 1
    ) as nps,
    (surveys.month_start + interval '1 month')::date <= nps.as_of as is_complete
from surveys
$$;

create or replace view mart.vw_nps
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    scores.*
from mart.vw_latest_snapshot
cross join
    lateral mart.nps(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as scores
where vw_latest_snapshot.fact_name = 'fact_interaction';

comment on function mart.nps is 'vw_nps of one firm at any as_of.';
comment on view mart.vw_nps is
'One row per firm, month and stage with a survey, answered or not.';
comment on column mart.vw_nps.month_start is 'First day of the month.';
comment on column mart.vw_nps.stage is 'Stage of the customer journey that the survey is about.';
comment on column mart.vw_nps.responses is 'Surveys returned, with or without a score.';
comment on column mart.vw_nps.answers is 'Surveys with a score.';
comment on column mart.vw_nps.promoters is 'Scores of 9 and 10.';
comment on column mart.vw_nps.passives is 'Scores of 7 and 8.';
comment on column mart.vw_nps.detractors is 'Scores of 0 to 6.';
comment on column mart.vw_nps.nps is 'Promoters less detractors, in percent of answers: -100 to 100.';
comment on column mart.vw_nps.is_complete is 'False if the month had not ended at as_of.';

-- quality_history: checks of the quality gate and rejected rows of each day, latest first.
-- Grain: as_of. Params: :firm_key; :page_rows (null: all).

with checks as (

    select
        quality.as_of,
        count(*) as checks,
        count(*) filter (where not quality.passed and quality.is_critical) as failed_critical,
        count(*) filter (where not quality.passed and not quality.is_critical) as failed_warnings,
        string_agg(distinct quality.expectation, ', ') filter (where not quality.passed) as failed_rules
    from control.quality
    where quality.firm_key = :firm_key
    group by quality.as_of

),

rejected as (

    select
        rejections.as_of,
        sum(rejections.row_count) as rejected_rows,
        sum(rejections.net_amount) as rejected_amount
    from control.rejections
    where rejections.firm_key = :firm_key
    group by rejections.as_of

)

select
    checks.checks,
    checks.failed_critical,
    checks.failed_warnings,
    checks.failed_rules,
    rejected.rejected_rows,
    rejected.rejected_amount,
    coalesce(checks.as_of, rejected.as_of) as as_of
from checks
full join rejected on checks.as_of = rejected.as_of
order by coalesce(checks.as_of, rejected.as_of) desc
limit :page_rows;

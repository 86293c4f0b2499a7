-- quality: the checks of the quality gate in the firm's last checked run, failed ones first; no samples.
-- Grain: quality_id. Params: :firm_key; :page_rows (null: all).

select
    quality.dataset,
    quality.slice,
    quality.as_of,
    quality.expectation,
    quality.column_name,
    quality.is_critical,
    quality.passed,
    quality.observed,
    quality.expected,
    quality.checked_at
from control.quality
where
    quality.firm_key = :firm_key
    and quality.as_of = (
        select max(latest.as_of)
        from control.quality as latest
        where latest.firm_key = :firm_key
    )
order by
    quality.passed asc,
    quality.is_critical desc,
    quality.dataset asc,
    quality.slice asc,
    quality.expectation asc,
    quality.quality_id asc
limit :page_rows;

-- insight: the sentences about the firm, in one language or the firm's own where that language has none.
-- Grain: place. Params: :firm_key, :as_of, :language.

select
    written.language_code,
    written.place,
    written.kind,
    written.rule_code,
    written.sentence,
    written.cited_metrics
from mart.firm_insight(:firm_key, :as_of) as written
where
    written.language_code = :language
    or (
        written.is_firm_language
        and not exists (
            select other.place
            from mart.firm_insight(:firm_key, :as_of) as other
            where other.language_code = :language
        )
    )
order by written.place;

-- fact_next_product_test: not one row, or suggestions in use that the test does not support.
-- Params: :firm_sk, :as_of.

select
    'not one row of the snapshot' as fault,
    count(*) || ' rows' as sample
from analytics.fact_next_product_test
where
    fact_next_product_test.firm_sk = :firm_sk
    and fact_next_product_test.as_of = :as_of
having count(*) <> 1

union all

select
    'suggestions are used, but not clearly better than the best-selling products' as fault,
    'difference ' || coalesce(fact_next_product_test.hit_rate_difference::text, 'unknown') as sample
from analytics.fact_next_product_test
where
    fact_next_product_test.firm_sk = :firm_sk
    and fact_next_product_test.as_of = :as_of
    and fact_next_product_test.is_used
    and (
        fact_next_product_test.hit_rate_difference > 2 * fact_next_product_test.difference_standard_error
    ) is not true;

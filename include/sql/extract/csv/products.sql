-- products: one row per product with a usable line before as_of, with its most frequent name (ties: a to z).
-- Grain: product_id. Params: :as_of (exclusive). Reads lines: what a layout's transactions.sql gave.

with descriptions as (

    select
        product_id,
        product_name,
        department,
        category,
        brand,
        count(*) as uses
    from lines
    where
        product_id is not null
        and rejected_reason is null
        and order_date < :as_of
    group by
        product_id,
        product_name,
        department,
        category,
        brand

),

ranked as (

    select
        descriptions.*,
        row_number() over (
            partition by descriptions.product_id
            order by
                descriptions.product_name is null asc,
                descriptions.uses desc,
                descriptions.product_name asc nulls last,
                descriptions.department asc nulls last,
                descriptions.category asc nulls last,
                descriptions.brand asc nulls last
        ) as nth
    from descriptions

)

select
    product_id,
    product_name,
    department,
    category,
    brand,
    cast(null as decimal(18, 4)) as unit_cost,
    cast(null as varchar) as rejected_reason,
    cast(null as varchar) as source_row
from ranked
where nth = 1

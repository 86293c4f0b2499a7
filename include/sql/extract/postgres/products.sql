-- products: one row per product.
-- Grain: product_id. No params: products have no creation date.

select
    cast(product_id as text) as product_id,
    nullif(product_name, '') as product_name,
    nullif(department, '') as department,
    nullif(category, '') as category,
    nullif(brand, '') as brand,
    case when abs(unit_cost) < 1e14 then cast(round(unit_cost, 4) as text) end as unit_cost,
    case
        when coalesce(cast(product_id as text), '') = '' then 'missing_id'
        when not abs(unit_cost) < 1e14 then 'bad_number'
        when unit_cost < 0 then 'negative_amount'
    end as rejected_reason,
    case
        when coalesce(cast(product_id as text), '') = '' or not abs(unit_cost) < 1e14 or unit_cost < 0
            then cast(row_to_json(products) as text)
    end as source_row
from products

-- products: one row per product variant, also archived ones.
-- Grain: product_id. Params: :language (such as en_US).
-- Names are one text per language. Unit cost is null: Odoo stores it per company, and each version in
-- another place.

with named as (

    select
        product_product.id,
        product_category.complete_name,
        to_jsonb(product_template.name) as product_name,
        to_jsonb(product_category.name) as category
    from product_product
    inner join product_template
        on product_product.product_tmpl_id = product_template.id
    left join product_category
        on product_template.categ_id = product_category.id

)

select
    cast(named.id as text) as product_id,
    cast(null as text) as brand,
    cast(null as text) as unit_cost,
    cast(null as text) as rejected_reason,
    cast(null as text) as source_row,
    case jsonb_typeof(named.product_name)
        when 'object' then coalesce(named.product_name ->> :language, named.product_name ->> 'en_US')
        else nullif(named.product_name #>> '{}', '')
    end as product_name,
    nullif(split_part(named.complete_name, ' / ', 1), '') as department,
    case jsonb_typeof(named.category)
        when 'object' then coalesce(named.category ->> :language, named.category ->> 'en_US')
        else nullif(named.category #>> '{}', '')
    end as category
from named

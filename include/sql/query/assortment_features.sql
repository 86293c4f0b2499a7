-- assortment_features: products, categories, departments and brands per customer, and their concentration.
-- Grain: customer_id. Params: :as_of (exclusive). Shares are of sale lines whose product is known.

with order_lines as (

    select
        customer_id,
        product_id,
        date_diff('day', order_date, cast(:as_of as date)) as days_ago
    from transactions
    where
        order_date < :as_of
        and customer_id is not null
        and kind = 'sale'

),

product_lines as (

    select
        customer_id,
        product_id,
        count(*) as line_count,
        max(days_ago) as first_days_ago,
        min(days_ago) as last_days_ago,
        count(case when days_ago <= 90 then 1 end) as line_count_90_days,
        min(days_ago) < max(days_ago) as is_repeated
    from order_lines
    group by
        customer_id,
        product_id

),

described as (

    select
        product_lines.customer_id,
        product_lines.line_count,
        product_lines.last_days_ago,
        product_lines.line_count_90_days,
        products.category,
        products.department,
        products.brand
    from product_lines
    inner join products on product_lines.product_id = products.product_id

),

category_lines as (

    select
        customer_id,
        category,
        sum(line_count) as line_count,
        sum(line_count_90_days) as line_count_90_days,
        min(last_days_ago) as last_days_ago,
        row_number() over (
            partition by customer_id
            order by sum(line_count) desc, category
        ) as place
    from described
    where category is not null
    group by
        customer_id,
        category

),

categories as (

    select
        customer_id,
        count(*) as category_count,
        count(case when last_days_ago <= 90 then 1 end) as category_count_90_days,
        count(case when last_days_ago <= 365 then 1 end) as category_count_365_days,
        count(case when last_days_ago between 91 and 365 then 1 end) as dropped_category_count,
        cast(sum(case when place = 1 then line_count else 0 end) as double)
        / sum(line_count) as top_category_share,
        cast(sum(case when place = 2 then line_count else 0 end) as double)
        / sum(line_count) as second_category_share,
        cast(sum(case when place = 3 then line_count else 0 end) as double)
        / sum(line_count) as third_category_share,
        cast(sum(case when place = 1 then line_count_90_days else 0 end) as double)
        / nullif(sum(line_count_90_days), 0) as top_category_share_90_days,
        max(case when place = 1 then last_days_ago end) as days_since_top_category,
        cast(sum(line_count * line_count) as double)
        / (cast(sum(line_count) as double) * cast(sum(line_count) as double)) as category_concentration
    from category_lines
    group by customer_id

),

department_lines as (

    select
        customer_id,
        department,
        sum(line_count) as line_count,
        sum(line_count_90_days) as line_count_90_days
    from described
    where department is not null
    group by
        customer_id,
        department

),

departments as (

    select
        customer_id,
        count(*) as department_count,
        count(case when line_count_90_days > 0 then 1 end) as department_count_90_days,
        cast(max(line_count) as double) / sum(line_count) as top_department_share
    from department_lines
    group by customer_id

),

brand_lines as (

    select
        customer_id,
        brand,
        sum(line_count) as line_count
    from described
    where brand is not null
    group by
        customer_id,
        brand

),

brands as (

    select
        customer_id,
        count(*) as brand_count,
        cast(max(line_count) as double) / sum(line_count) as top_brand_share
    from brand_lines
    group by customer_id

),

customer_products as (

    select
        customer_id,
        count(product_id) as product_count,
        count(case when product_id is not null and last_days_ago <= 90 then 1 end) as product_count_90_days,
        count(case when product_id is not null and last_days_ago <= 365 then 1 end)
            as product_count_365_days,
        cast(count(case when product_id is not null and is_repeated then 1 end) as double)
        / nullif(count(product_id), 0) as repeat_product_share,
        cast(count(case when product_id is not null and first_days_ago <= 90 then 1 end) as double)
        / nullif(count(case when product_id is not null and last_days_ago <= 90 then 1 end), 0)
            as new_product_share_90_days,
        min(case when product_id is not null then first_days_ago end) as days_since_new_product,
        cast(max(case when product_id is not null then line_count end) as double)
        / sum(case when product_id is not null then line_count end) as top_product_share,
        cast(sum(case when product_id is not null then line_count else 0 end) as double)
        / sum(line_count) as known_product_share
    from product_lines
    group by customer_id

)

select
    customer_products.customer_id,
    customer_products.product_count,
    customer_products.product_count_90_days,
    customer_products.product_count_365_days,
    customer_products.repeat_product_share,
    customer_products.new_product_share_90_days,
    customer_products.days_since_new_product,
    customer_products.top_product_share,
    customer_products.known_product_share,
    categories.category_count,
    categories.category_count_90_days,
    categories.category_count_365_days,
    categories.dropped_category_count,
    categories.top_category_share,
    categories.second_category_share,
    categories.third_category_share,
    categories.top_category_share_90_days,
    categories.days_since_top_category,
    categories.category_concentration,
    departments.department_count,
    departments.department_count_90_days,
    departments.top_department_share,
    brands.brand_count,
    brands.top_brand_share
from customer_products
left join categories on customer_products.customer_id = categories.customer_id
left join departments on customer_products.customer_id = departments.customer_id
left join brands on customer_products.customer_id = brands.customer_id
order by customer_products.customer_id

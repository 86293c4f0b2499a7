-- products: one page of the products of a firm, best selling of the last 365 days first (keyset paging).
-- Grain: product_id. Params: :firm_key, :as_of; :search (may be null); :after_place (null for the first
-- page); :page_rows (null: all).

select
    shown.product_id,
    shown.product_name,
    shown.department,
    shown.category,
    shown.brand,
    shown.first_sale_date,
    shown.last_sale_date,
    shown.days_since_last_sale,
    shown.order_count,
    shown.customer_count,
    shown.repeat_customer_count,
    shown.repeat_customer_pct,
    shown.units_sold,
    shown.units_returned,
    shown.return_pct,
    shown.net_amount,
    shown.net_amount_365_days,
    shown.share_pct,
    shown.margin_amount,
    shown.margin_pct,
    shown.place_in_firm as place
from mart.product_performance(:firm_key, :as_of) as shown
where
    shown.place_in_firm > coalesce(cast(:after_place as bigint), 0)
    and (
        cast(:search as text) is null
        or strpos(
            lower(concat_ws(' ', shown.product_id, shown.product_name, shown.category)), lower(:search)
        ) > 0
    )
order by
    shown.place_in_firm asc,
    shown.product_id asc
limit :page_rows;

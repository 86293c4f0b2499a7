-- fact_sales: replaces whole months of a firm by the staged lines. Returns turn negative.
-- Grain: transaction_id, line_id. Params: :firm_sk, :months.

select analytics.add_customers(
    :firm_sk,
    array(select distinct stg_transactions.customer_id from pg_temp.stg_transactions)
) as added;

select analytics.add_products(
    :firm_sk,
    array(select distinct stg_transactions.product_id from pg_temp.stg_transactions)
) as added;

delete from analytics.fact_sales
using unnest(:months) as replaced (month_start)
where
    fact_sales.firm_sk = :firm_sk
    and fact_sales.order_date >= replaced.month_start
    and fact_sales.order_date < (replaced.month_start + interval '1 month')::date;

with lines as (

    select
        stg_transactions.*,
        stg_transactions.kind = 'return' as is_return
    from pg_temp.stg_transactions

)

insert into analytics.fact_sales (
    firm_sk,
    order_date,
    date_sk,
    customer_sk,
    product_sk,
    transaction_id,
    line_id,
    kind,
    occurred_at,
    quantity,
    gross_amount,
    discount_amount,
    net_amount,
    margin_amount,
    channel,
    payment_method,
    programme_id
)
select
    :firm_sk as firm_sk,
    lines.order_date,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_product.product_sk,
    lines.transaction_id,
    lines.line_id,
    lines.kind,
    lines.occurred_at,
    case when lines.is_return then -lines.quantity else lines.quantity end as quantity,
    case when lines.is_return then -lines.gross_amount else lines.gross_amount end as gross_amount,
    case when lines.is_return then -lines.discount_amount else lines.discount_amount end as discount_amount,
    case when lines.is_return then -lines.net_amount else lines.net_amount end as net_amount,
    case when lines.is_return then -lines.margin_amount else lines.margin_amount end as margin_amount,
    lines.channel,
    lines.payment_method,
    lines.programme_id
from lines
inner join analytics.dim_date on lines.order_date = dim_date.date_actual
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and coalesce(lines.customer_id, '(anonymous)') = dim_customer.customer_id
inner join analytics.dim_product
    on
        dim_product.firm_sk = :firm_sk
        and coalesce(lines.product_id, '(unknown)') = dim_product.product_id
where dim_date.month_start = any(:months);

-- firm: a generated firm with its customers, products, segments and sales.
-- Params: :firm_key, :customers, :products, :lines, :first_day, :as_of. Every number is a hash of the row's number.

insert into control.firms (firm_key, name, timezone, currency)
values (:firm_key, :firm_key, 'UTC', 'EUR');

insert into analytics.dim_firm (firm_key, firm_name, timezone, currency)
values (:firm_key, :firm_key, 'UTC', 'EUR');

insert into analytics.dim_customer (firm_sk, customer_id, is_anonymous, acquisition_channel, as_of)
select
    dim_firm.firm_sk,
    case when number.n = 0 then '(anonymous)' else 'c' || lpad(number.n::text, 8, '0') end,
    number.n = 0,
    (array['search', 'social', 'store', 'friends'])[1 + number.n % 4],
    :as_of
from analytics.dim_firm
cross join generate_series(0, :customers) as number (n)
where dim_firm.firm_key = :firm_key;

insert into analytics.dim_product (firm_sk, product_id, product_name, category, as_of)
select
    dim_firm.firm_sk,
    'p' || number.n,
    'Product ' || number.n,
    'Category ' || number.n % 20,
    :as_of
from analytics.dim_firm
cross join generate_series(1, :products) as number (n)
where dim_firm.firm_key = :firm_key;

insert into analytics.dim_customer_segment (firm_sk, segment_code, segment_name, segment_type, value_tier, as_of)
select
    dim_firm.firm_sk,
    'segment_' || number.n,
    'Segment ' || number.n,
    'rfm',
    (array['High value', 'Growth potential', 'At risk', 'Recovery'])[1 + number.n % 4],
    :as_of
from analytics.dim_firm
cross join generate_series(1, 10) as number (n)
where dim_firm.firm_key = :firm_key;

-- An order has three lines. The square makes a few customers buy much more than the others.
insert into analytics.fact_sales (
    firm_sk, order_date, date_sk, customer_sk, product_sk, transaction_id, line_id, kind, occurred_at,
    quantity, gross_amount, discount_amount, net_amount, margin_amount, channel
)
with firm as materialized (

    select
        dim_firm.firm_sk,
        (
            select min(dim_customer.customer_sk)
            from analytics.dim_customer
            where dim_customer.firm_sk = dim_firm.firm_sk
        ) as anonymous_sk,
        (
            select min(dim_product.product_sk)
            from analytics.dim_product
            where dim_product.firm_sk = dim_firm.firm_sk
        ) as product_sk
    from analytics.dim_firm
    where dim_firm.firm_key = :firm_key

),

lines as (

    select
        number.n,
        number.n / 3 as order_number,
        abs(hashint8(number.n)::bigint) as dice,
        case
            when (number.n / 3) % 50 = 0 then 0
            else
                1 + floor(
                    :customers * power(abs(hashint8(number.n / 3 + 77)::bigint) / 2147483649.0, 2)
                )::bigint
        end as customer
    from generate_series(1, :lines) as number (n)

),

dated as (

    select
        lines.*,
        :first_day + floor(
            (:as_of - :first_day) * (
                joined.share + (1 - joined.share) * abs(hashint8(lines.order_number + 991)::bigint) / 2147483649.0
            )
        )::integer as order_date
    from lines
    cross join
        lateral (select 0.9 * abs(hashint8(lines.customer + 5)::bigint) / 2147483649.0 as share) as joined

)

select
    firm.firm_sk,
    dated.order_date,
    to_char(dated.order_date, 'YYYYMMDD')::integer,
    firm.anonymous_sk + dated.customer,
    firm.product_sk + floor(:products * power(dated.dice / 2147483649.0, 2))::bigint,
    'o' || dated.order_number,
    (dated.n % 3)::text,
    case when dated.dice % 40 = 0 then 'return' else 'sale' end,
    dated.order_date + interval '12 hours',
    case when dated.dice % 40 = 0 then -1 else 1 end,
    case when dated.dice % 40 = 0 then -1 else 1 end * (100 + dated.dice % 9900) / 100.0,
    0,
    case when dated.dice % 40 = 0 then -1 else 1 end * (100 + dated.dice % 9900) / 100.0,
    case when dated.dice % 40 = 0 then -1 else 1 end * (30 + dated.dice % 2900) / 100.0,
    (array['web', 'shop', 'app'])[1 + dated.order_number % 3]
from dated
cross join firm
order by dated.order_date;

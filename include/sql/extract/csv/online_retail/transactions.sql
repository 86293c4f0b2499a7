-- transactions (online_retail): one row per row of the files, the unusable ones with their reason.
-- Grain: transaction_id, line_id. Params: :timezone (the firm's), :zone (of the files' times), :earliest.
-- Reads files: the rows as text, named by include/sources/layouts.py.

with read as (

    select
        cast(to_json(files) as varchar) as source_row,
        nullif(files.invoice_no, '') as transaction_id,
        nullif(files.stock_code, '') as product_id,
        nullif(files.description, '') as product_name,
        nullif(files.country, '') as country,
        -- Some copies of the file went through floating point: 17850.0 is customer 17850.
        regexp_replace(nullif(files.customer_id, ''), '\.0$', '') as customer_id,
        nullif(files.invoice_date, '') as date_text,
        nullif(files.quantity, '') as quantity_text,
        nullif(files.unit_price, '') as price_text,
        try_strptime(
            files.invoice_date,
            [
                '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M', '%Y-%m-%dT%H:%M:%S',
                '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S',
            ]
        ) as occurred_local,
        try_cast(number_of(files.quantity, '.') as decimal(18, 4)) as quantity,
        try_cast(number_of(files.unit_price, '.') as decimal(18, 6)) as unit_price
    from files

),

-- Lines have no number of their own: what is in a line names it, so that the order of rows does not matter.
lines as (

    select
        read.*,
        starts_with(upper(read.transaction_id), 'C') as is_return,
        case
            when read.occurred_local >= :earliest and read.occurred_local < timestamp '9999-01-01'
                then local_instant(read.occurred_local, :zone)
        end as occurred_at,
        try_cast(
            cast(read.quantity as decimal(19, 4)) * cast(read.unit_price as decimal(19, 6)) as decimal(18, 4)
        ) as signed_amount,
        left(
            md5(
                concat_ws(
                    chr(31),
                    coalesce(read.product_id, ''),
                    coalesce(read.product_name, ''),
                    coalesce(read.customer_id, ''),
                    coalesce(read.country, ''),
                    coalesce(cast(read.occurred_local as varchar), read.date_text, ''),
                    coalesce(cast(read.quantity as varchar), read.quantity_text, ''),
                    coalesce(cast(read.unit_price as varchar), read.price_text, '')
                )
            ),
            12
        ) as content_key
    from read

),

judged as (

    select
        lines.*,
        row_number() over (partition by lines.transaction_id, lines.content_key) as ordinal,
        case
            when contains(lines.source_row, '\u0000') then 'nul_character'
            when lines.transaction_id is null then 'missing_id'
            when lines.occurred_at is null then 'bad_date'
            when lines.quantity_text is null or lines.price_text is null then 'missing_number'
            when
                lines.quantity is null or lines.unit_price is null or lines.signed_amount is null
                then 'bad_number'
            when lines.unit_price <= 0 then 'price_not_positive'
            when lines.is_return and lines.quantity >= 0 then 'return_not_negative'
            when not lines.is_return and lines.quantity <= 0 then 'quantity_not_positive'
        end as rejected_reason
    from lines

)

select
    transaction_id,
    occurred_at,
    customer_id,
    product_id,
    rejected_reason,
    product_name,
    country,
    cast(timezone(:timezone, occurred_at) as date) as order_date,
    cast(0 as decimal(18, 4)) as discount_amount,
    cast(null as decimal(18, 4)) as margin_amount,
    cast(null as varchar) as channel,
    cast(null as varchar) as payment_method,
    cast(null as varchar) as programme_id,
    cast(null as varchar) as department,
    cast(null as varchar) as category,
    cast(null as varchar) as brand,
    cast(null as varchar) as city,
    content_key || '-' || ordinal as line_id,
    case when is_return then 'return' else 'sale' end as kind,
    abs(quantity) as quantity,
    abs(signed_amount) as gross_amount,
    abs(signed_amount) as net_amount,
    case when rejected_reason is not null then replace(source_row, '\u0000', '\ufffd') end as source_row,
    coalesce(strftime(timezone(:timezone, occurred_at), '%Y-%m'), 'undated') as month_key
from judged

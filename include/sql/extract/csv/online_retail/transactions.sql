-- transactions (online_retail): one row per row of the files, the unusable ones with their reason.
-- Grain: transaction_id, line_id, kind.
-- Params: :timezone (the firm's), :zone (of the files' times), :earliest,
-- :latest.
-- Reads files: the rows as text, named by include/sources/layouts.py.

with contents as (

    select
        files as written,
        nullif(files.invoice_no, '') as transaction_id,
        left(md5(cast(files as varchar)), 12) as content_key
    from files

),

-- Lines have no number of their own: what is in a line names it, so that the order of rows does not matter.
keyed as (

    select
        contents.*,
        row_number() over (partition by contents.transaction_id, contents.content_key) as ordinal
    from contents

),

read as (

    select
        keyed.*,
        nullif(keyed.written.stock_code, '') as product_id,
        nullif(keyed.written.description, '') as product_name,
        nullif(keyed.written.country, '') as country,
        nullif(keyed.written.quantity, '') as quantity_text,
        nullif(keyed.written.unit_price, '') as price_text,
        starts_with(upper(keyed.transaction_id), 'C') as is_return,
        -- Some copies of the file went through floating point: 17850.0 is customer 17850.
        regexp_replace(nullif(keyed.written.customer_id, ''), '\.0$', '') as customer_id,
        try_cast(number_of(keyed.written.quantity, '.') as decimal(18, 4)) as quantity,
        try_cast(number_of(keyed.written.unit_price, '.') as decimal(18, 6)) as unit_price,
        case
            when contains(keyed.written.invoice_date, '/')
                then
                    local_instant(
                        try_strptime(keyed.written.invoice_date, ['%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S']),
                        :zone
                    )
            else iso_instant(keyed.written.invoice_date, :zone)
        end as instant
    from keyed

),

lines as (

    select
        read.*,
        accepted(read.instant, :earliest, :latest) as occurred_at,
        try_cast(
            cast(read.quantity as decimal(19, 4)) * cast(read.unit_price as decimal(19, 6)) as decimal(18, 4)
        ) as signed_amount
    from read

),

judged as (

    select
        lines.*,
        case
            when has_nul(lines.written) then 'nul_character'
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
    cast(null as boolean) as may_contact,
    content_key || '-' || ordinal as line_id,
    case when is_return then 'return' else 'sale' end as kind,
    abs(quantity) as quantity,
    abs(signed_amount) as gross_amount,
    abs(signed_amount) as net_amount,
    case when rejected_reason is not null then as_json(written) end as source_row,
    coalesce(strftime(timezone(:timezone, occurred_at), '%Y-%m'), 'undated') as month_key
from judged

-- transactions (cdnow): one row per row of the files, each a transaction of one line.
-- Grain: transaction_id, line_id, kind.
-- Params: :timezone (the firm's), :zone (of the files' days), :earliest,
-- :latest.
-- Reads files: the rows as text, named by include/sources/layouts.py. Purchases of nothing are kept.

with read as (

    select
        files as written,
        nullif(files.customer_id, '') as customer_id,
        nullif(files.day, '') as date_text,
        nullif(files.cds, '') as quantity_text,
        nullif(files.spend, '') as spend_text,
        try_cast(number_of(files.cds, '.') as decimal(18, 4)) as quantity,
        try_cast(number_of(files.spend, '.') as decimal(18, 4)) as spend,
        coalesce(
            iso_instant(files.day, :zone), local_instant(try_strptime(files.day, '%Y%m%d'), :zone)
        ) as instant
    from files

),

-- Rows have no number of their own: what is in a row names it, so that the order of rows does not matter.
purchases as (

    select
        read.*,
        accepted(read.instant, :earliest, :latest) as occurred_at,
        concat_ws(
            '-',
            coalesce(read.customer_id, ''),
            coalesce(strftime(timezone(:zone, read.instant), '%Y%m%d'), read.date_text, ''),
            coalesce(whole_text(cast(read.quantity as double)), read.quantity_text, ''),
            coalesce(whole_text(cast(read.spend as double)), read.spend_text, '')
        ) as content_key
    from read

),

judged as (

    select
        purchases.*,
        row_number() over (partition by purchases.content_key) as ordinal,
        case
            when has_nul(purchases.written) then 'nul_character'
            when purchases.customer_id is null then 'missing_id'
            when purchases.occurred_at is null then 'bad_date'
            when purchases.quantity_text is null or purchases.spend_text is null then 'missing_number'
            when purchases.quantity is null or purchases.spend is null then 'bad_number'
            when purchases.quantity < 0 then 'negative_quantity'
            when purchases.spend < 0 then 'negative_amount'
        end as rejected_reason
    from purchases

)

select
    occurred_at,
    customer_id,
    quantity,
    spend as gross_amount,
    spend as net_amount,
    rejected_reason,
    '1' as line_id,
    'sale' as kind,
    cast(timezone(:timezone, occurred_at) as date) as order_date,
    cast(null as varchar) as product_id,
    cast(0 as decimal(18, 4)) as discount_amount,
    cast(null as decimal(18, 4)) as margin_amount,
    cast(null as varchar) as channel,
    cast(null as varchar) as payment_method,
    cast(null as varchar) as programme_id,
    cast(null as varchar) as product_name,
    cast(null as varchar) as department,
    cast(null as varchar) as category,
    cast(null as varchar) as brand,
    cast(null as varchar) as country,
    cast(null as varchar) as city,
    cast(null as boolean) as may_contact,
    content_key || '-' || ordinal as transaction_id,
    case when rejected_reason is not null then as_json(written) end as source_row,
    coalesce(strftime(timezone(:timezone, occurred_at), '%Y-%m'), 'undated') as month_key
from judged

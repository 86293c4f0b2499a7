-- transactions (mapped): one row per row of the files, the unusable ones with their reason.
-- Grain: transaction_id, line_id. Params: :timezone (the firm's), :zone (of the files' times), :earliest,
-- :date_formats, :decimal_mark.
-- Reads files: the rows as text in canonical columns, those that the firm's mapping leaves out null.

with read as (

    select
        cast(to_json(files) as varchar) as source_row,
        nullif(files.transaction_id, '') as transaction_id,
        nullif(files.line_id, '') as given_line_id,
        nullif(lower(trim(files.kind)), '') as given_kind,
        nullif(files.customer_id, '') as customer_id,
        nullif(files.product_id, '') as product_id,
        nullif(files.channel, '') as channel,
        nullif(files.payment_method, '') as payment_method,
        nullif(files.programme_id, '') as programme_id,
        nullif(files.product_name, '') as product_name,
        nullif(files.department, '') as department,
        nullif(files.category, '') as category,
        nullif(files.brand, '') as brand,
        nullif(files.country, '') as country,
        nullif(files.city, '') as city,
        nullif(trim(files.quantity), '') as quantity_text,
        nullif(trim(files.unit_price), '') as price_text,
        nullif(trim(files.gross_amount), '') as gross_text,
        nullif(trim(files.discount_amount), '') as discount_text,
        nullif(trim(files.net_amount), '') as net_text,
        nullif(trim(files.margin_amount), '') as margin_text,
        try_strptime(trim(files.occurred_at), :date_formats) as occurred_local
    from files

),

numbers as (

    select
        read.*,
        case
            when read.quantity_text is null then cast(1 as decimal(18, 4))
            else try_cast(number_of(read.quantity_text, :decimal_mark) as decimal(18, 4))
        end as quantity,
        try_cast(number_of(read.price_text, :decimal_mark) as decimal(18, 6)) as unit_price,
        try_cast(number_of(read.gross_text, :decimal_mark) as decimal(18, 4)) as given_gross,
        case
            when read.discount_text is null then cast(0 as decimal(18, 4))
            else try_cast(number_of(read.discount_text, :decimal_mark) as decimal(18, 4))
        end as discount,
        try_cast(number_of(read.net_text, :decimal_mark) as decimal(18, 4)) as given_net,
        try_cast(number_of(read.margin_text, :decimal_mark) as decimal(18, 4)) as margin,
        left(md5(read.source_row), 12) as content_key
    from read

),

amounts as (

    select
        numbers.*,
        coalesce(
            numbers.given_gross,
            try_cast(
                cast(numbers.quantity as decimal(19, 4)) * cast(numbers.unit_price as decimal(19, 6))
                as decimal(18, 4)
            ),
            try_cast(numbers.given_net + numbers.discount as decimal(18, 4))
        ) as gross,
        case
            when numbers.occurred_local >= :earliest and numbers.occurred_local < timestamp '9999-01-01'
                then local_instant(numbers.occurred_local, :zone)
        end as occurred_at
    from numbers

),

lines as (

    select
        amounts.*,
        coalesce(
            amounts.given_net, try_cast(amounts.gross - amounts.discount as decimal(18, 4))
        ) as net,
        coalesce(
            amounts.given_kind,
            case when amounts.quantity < 0 or amounts.gross < 0 then 'return' else 'sale' end
        ) as kind,
        row_number() over (partition by amounts.transaction_id, amounts.content_key) as ordinal
    from amounts

),

judged as (

    select
        lines.*,
        case
            when contains(lines.source_row, '\u0000') then 'nul_character'
            when lines.transaction_id is null then 'missing_id'
            when lines.occurred_at is null then 'bad_date'
            when lines.kind = 'cancelled' then 'cancelled_order'
            when lines.kind not in ('sale', 'return') then 'unknown_kind'
            when
                lines.quantity is null
                or lines.discount is null
                or (lines.price_text is not null and lines.unit_price is null)
                or (lines.gross_text is not null and lines.given_gross is null)
                or (lines.net_text is not null and lines.given_net is null)
                or (lines.margin_text is not null and lines.margin is null)
                then 'bad_number'
            when
                coalesce(lines.gross_text, lines.price_text, lines.net_text) is null
                then 'missing_number'
            when lines.gross is null or lines.net is null then 'bad_number'
            when lines.kind = 'sale' and lines.quantity < 0 then 'negative_quantity'
            when
                lines.kind = 'sale' and (lines.gross < 0 or lines.discount < 0 or lines.net < 0)
                then 'negative_amount'
            when abs(lines.gross) - abs(lines.discount) <> abs(lines.net) then 'amounts_disagree'
        end as rejected_reason
    from lines

)

select
    transaction_id,
    kind,
    occurred_at,
    customer_id,
    product_id,
    margin as margin_amount,
    channel,
    payment_method,
    programme_id,
    rejected_reason,
    product_name,
    department,
    category,
    brand,
    country,
    city,
    cast(timezone(:timezone, occurred_at) as date) as order_date,
    coalesce(given_line_id, content_key || '-' || ordinal) as line_id,
    abs(quantity) as quantity,
    abs(gross) as gross_amount,
    abs(discount) as discount_amount,
    abs(net) as net_amount,
    case when rejected_reason is not null then replace(source_row, '\u0000', '\ufffd') end as source_row,
    coalesce(strftime(timezone(:timezone, occurred_at), '%Y-%m'), 'undated') as month_key
from judged

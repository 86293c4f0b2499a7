-- transactions (mapped): one row per row of the files, the unusable ones with their reason.
-- Grain: transaction_id, line_id, kind.
-- Params: :timezone (the firm's), :zone (of the files' times), :earliest,
-- :latest, :date_format, :decimal_mark.
-- Reads files: the rows as text in canonical columns, those that the firm's mapping leaves out null.

with named as (

    select
        files as written,
        nullif(files.transaction_id, '') as transaction_id,
        nullif(files.line_id, '') as line_id
    from files

),

-- A line without a number of its own is named by what is in it, so that the order of rows does not matter.
contents as (

    select
        named.written,
        named.transaction_id,
        left(md5(cast(named.written as varchar)), 12) as content_key
    from named
    where named.line_id is null

),

keyed as (

    select
        named.written,
        named.transaction_id,
        named.line_id
    from named
    where named.line_id is not null

    union all

    select
        contents.written,
        contents.transaction_id,
        contents.content_key
        || '-'
        || row_number() over (partition by contents.transaction_id, contents.content_key) as line_id
    from contents

),

read as (

    select
        keyed.written,
        keyed.transaction_id,
        keyed.line_id,
        nullif(lower(trim(keyed.written.kind)), '') as given_kind,
        nullif(keyed.written.customer_id, '') as customer_id,
        nullif(keyed.written.product_id, '') as product_id,
        nullif(keyed.written.channel, '') as channel,
        nullif(keyed.written.payment_method, '') as payment_method,
        nullif(keyed.written.programme_id, '') as programme_id,
        nullif(keyed.written.product_name, '') as product_name,
        nullif(keyed.written.department, '') as department,
        nullif(keyed.written.category, '') as category,
        nullif(keyed.written.brand, '') as brand,
        nullif(keyed.written.country, '') as country,
        nullif(keyed.written.city, '') as city,
        consent_of(keyed.written.may_contact, keyed.written.do_not_contact) as may_contact,
        nullif(trim(keyed.written.quantity), '') as quantity_text,
        nullif(trim(keyed.written.unit_price), '') as price_text,
        nullif(trim(keyed.written.gross_amount), '') as gross_text,
        nullif(trim(keyed.written.discount_amount), '') as discount_text,
        nullif(trim(keyed.written.net_amount), '') as net_text,
        nullif(trim(keyed.written.margin_amount), '') as margin_text,
        case
            when :date_format is not null
                then local_instant(try_strptime(trim(keyed.written.occurred_at), :date_format), :zone)
            else iso_instant(trim(keyed.written.occurred_at), :zone)
        end as instant
    from keyed

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
        try_cast(number_of(read.margin_text, :decimal_mark) as decimal(18, 4)) as margin
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
        accepted(numbers.instant, :earliest, :latest) as occurred_at
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
        ) as kind
    from amounts

),

judged as (

    select
        lines.*,
        case
            when has_nul(lines.written) then 'nul_character'
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
    line_id,
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
    may_contact,
    cast(timezone(:timezone, occurred_at) as date) as order_date,
    abs(quantity) as quantity,
    abs(gross) as gross_amount,
    abs(discount) as discount_amount,
    abs(net) as net_amount,
    case when rejected_reason is not null then as_json(written) end as source_row,
    coalesce(strftime(timezone(:timezone, occurred_at), '%Y-%m'), 'undated') as month_key
from judged

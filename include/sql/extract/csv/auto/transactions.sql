-- transactions (auto): one row per line that include/intake read from the files, the unusable ones with
-- their reason. Grain: transaction_id, line_id. Params: :timezone (the firm's), :zone (of local times),
-- :earliest, :latest, :repeated_orders (last: the last file by name that has an order is right; all: every
-- file is; null: an order that differs between two files is a disputed_order, which stops the firm).
-- Reads files: typed text in canonical columns, file_number (the order of the files by name), source_row.

with contents as (

    select
        files.*,
        cast(files.occurred_at as timestamp) as at_local,
        left(md5(cast(
            row(
                files.kind, files.occurred_at, files.customer_id, files.product_id, files.quantity,
                files.net_amount, files.product_name, files.rejected_reason
            ) as varchar
        )), 12) as content_key
    from files

),

numbered as (

    select
        contents.*,
        row_number() over (
            partition by contents.file_number, contents.transaction_id, contents.content_key
        ) as nth
    from contents

),

-- Without an order id, an order is a customer's day; an anonymous row is an order, known by its content.
-- The id has no customer in it, so that an erasure leaves nothing behind.
orders as (

    select
        numbered.*,
        case
            when numbered.transaction_id is not null or numbered.rejected_reason is not null
                then numbered.transaction_id
            when numbered.customer_id is not null
                then
                    'day-'
                    || left(
                        md5(numbered.customer_id || '|' || strftime(numbered.at_local, '%Y-%m-%d')), 16
                    )
            else 'row-' || numbered.content_key || '-' || numbered.nth
        end as order_id
    from numbered

),

versions as (

    select
        orders.order_id,
        orders.file_number,
        md5(string_agg(orders.content_key, ',' order by orders.content_key)) as version_key
    from orders
    where orders.order_id is not null
    group by
        orders.order_id,
        orders.file_number

),

-- The file that an order is taken from: of equal versions the first, of different ones as the firm says.
kept as (

    select
        versions.order_id,
        versions.file_number,
        row_number() over (
            partition by versions.order_id, versions.version_key
            order by versions.file_number
        ) = 1 as is_first,
        versions.version_key
        = last_value(versions.version_key) over (
            partition by versions.order_id
            order by versions.file_number
            rows between unbounded preceding and unbounded following
        ) as is_last_version,
        min(versions.version_key) over (partition by versions.order_id)
        <> max(versions.version_key) over (partition by versions.order_id) as is_disputed
    from versions

),

joined as (

    select
        orders.*,
        kept.is_first,
        kept.is_last_version,
        kept.is_disputed
    from orders
    left join kept
        on
            orders.order_id = kept.order_id
            and orders.file_number = kept.file_number

),

dated as (

    select
        joined.*,
        accepted(local_instant(joined.at_local, :zone), :earliest, :latest) as instant
    from joined

),

judged as (

    select
        dated.*,
        case
            when dated.rejected_reason is not null then dated.rejected_reason
            when has_nul(row(dated.order_id, dated.customer_id, dated.product_id, dated.product_name))
                then 'nul_character'
            when dated.instant is null then 'bad_date'
            when not dated.is_first then 'exact_duplicate'
            when dated.is_disputed and :repeated_orders is null then 'disputed_order'
            when :repeated_orders = 'last' and not dated.is_last_version then 'repeated_order'
        end as reason
    from dated

)

select
    order_id as transaction_id,
    kind,
    instant as occurred_at,
    customer_id,
    product_id,
    channel,
    payment_method,
    programme_id,
    reason as rejected_reason,
    product_name,
    department,
    category,
    brand,
    country,
    city,
    cast(null as decimal(18, 4)) as margin_amount,
    cast(0 as decimal(18, 4)) as discount_amount,
    cast(timezone(:timezone, instant) as date) as order_date,
    consent_of(may_contact, do_not_contact) as may_contact,
    content_key
    || '-'
    || row_number() over (partition by order_id, content_key, reason is null order by file_number, nth)
        as line_id,
    coalesce(try_cast(quantity as decimal(18, 4)), 1) as quantity,
    try_cast(net_amount as decimal(18, 4)) as gross_amount,
    try_cast(net_amount as decimal(18, 4)) as net_amount,
    case
        when reason is null then null
        when source_row is not null then replace(source_row, chr(0), chr(65533))
        else as_json(row(order_id, occurred_at, customer_id, product_id, net_amount))
    end as source_row,
    coalesce(strftime(timezone(:timezone, instant), '%Y-%m'), 'undated') as month_key
from judged

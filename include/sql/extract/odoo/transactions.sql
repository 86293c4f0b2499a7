-- transactions: one row per line of a confirmed or cancelled order, or of a posted credit note.
-- Grain: transaction_id, line_id, kind. Amounts are untaxed, in the company's currency.
-- Params: :month_start, :month_end, :as_of_start (instants; ends are exclusive), :earliest, :latest,
-- :timezone, :takes_undated (this month also yields lines without a usable date), :company_id.
-- Quotations, sections and notes are ignored. A line with a negative price is a discount: it is spread
-- over the other lines of its order and has no row.

with visitors as (

    select partner_id
    from res_users
    where
        login = 'public'
        or login like 'public-user@company-%'

),

dated_orders as (

    select
        id,
        state,
        partner_id,
        date_order at time zone 'UTC' as ordered_at,
        cast(date_order as text) as written_at,
        coalesce(nullif(currency_rate, 0), 1) as rate,
        to_jsonb(sale_order) ->> 'website_id' as website_id
    from sale_order
    where
        company_id = :company_id
        and state in ('sale', 'done', 'cancel')
        and date_order >= cast(:month_start as timestamp with time zone) at time zone 'UTC'
        and date_order < cast(:month_end as timestamp with time zone) at time zone 'UTC'
        and date_order < cast(:as_of_start as timestamp with time zone) at time zone 'UTC'

),

undated_orders as (

    select
        id,
        state,
        partner_id,
        cast(null as timestamp with time zone) as ordered_at,
        cast(date_order as text) as written_at,
        coalesce(nullif(currency_rate, 0), 1) as rate,
        to_jsonb(sale_order) ->> 'website_id' as website_id
    from sale_order
    where
        :takes_undated
        and company_id = :company_id
        and state in ('sale', 'done', 'cancel')
        and (
            date_order is null
            or date_order < cast(:earliest as timestamp with time zone) at time zone 'UTC'
            or date_order >= cast(:latest as timestamp with time zone) at time zone 'UTC'
        )

),

known_orders as (

    select * from dated_orders
    union all
    select * from undated_orders

),

order_lines as (

    select
        'sale.order' as document_model,
        known_orders.id as document_id,
        sale_order_line.id as line_id,
        known_orders.ordered_at as occurred_at,
        known_orders.written_at,
        known_orders.partner_id,
        sale_order_line.product_id,
        sale_order_line.product_uom_qty as quantity,
        sale_order_line.discount as discount_pct,
        case when sale_order_line.product_uom_qty < 0 then 'return' else 'sale' end as kind,
        sale_order_line.price_subtotal / known_orders.rate
        * case when sale_order_line.product_uom_qty < 0 then -1 else 1 end as amount,
        -- Only the module sale_margin adds this column.
        cast(to_jsonb(sale_order_line) ->> 'margin' as numeric) / known_orders.rate
        * case when sale_order_line.product_uom_qty < 0 then -1 else 1 end as margin,
        case when known_orders.website_id is null then 'sales' else 'web' end as channel,
        case
            when known_orders.state = 'cancel' then 'cancelled_order'
            when known_orders.ordered_at is null then 'bad_date'
            when sale_order_line.is_downpayment then 'down_payment'
        end as fault
    from known_orders
    inner join sale_order_line
        on known_orders.id = sale_order_line.order_id
    where sale_order_line.display_type is null

),

dated_notes as (

    select
        id,
        partner_id,
        reversed_entry_id,
        cast(invoice_date as timestamp) at time zone :timezone as noted_at,
        cast(invoice_date as text) as written_at
    from account_move
    where
        company_id = :company_id
        and move_type = 'out_refund'
        and state = 'posted'
        and invoice_date
        >= cast(cast(:month_start as timestamp with time zone) at time zone :timezone as date)
        and invoice_date < cast(cast(:month_end as timestamp with time zone) at time zone :timezone as date)
        and invoice_date
        < cast(cast(:as_of_start as timestamp with time zone) at time zone :timezone as date)

),

undated_notes as (

    select
        id,
        partner_id,
        reversed_entry_id,
        cast(null as timestamp with time zone) as noted_at,
        cast(invoice_date as text) as written_at
    from account_move
    where
        :takes_undated
        and company_id = :company_id
        and move_type = 'out_refund'
        and state = 'posted'
        and (
            invoice_date is null
            or invoice_date < cast(cast(:earliest as timestamp with time zone) at time zone :timezone as date)
            or invoice_date >= cast(cast(:latest as timestamp with time zone) at time zone :timezone as date)
        )

),

known_notes as (

    select * from dated_notes
    union all
    select * from undated_notes

),

-- The order line that a credit note line refunds; none if it was entered by hand.
given_back as (

    select
        account_move_line.id as note_line_id,
        bool_or(sale_order.state in ('sale', 'done')) as is_of_a_sale,
        bool_or(coalesce(sale_order_line.is_downpayment, false)) as is_of_a_down_payment,
        bool_or(sale_order_line.product_uom_qty < 0) as is_of_a_return
    from known_notes
    inner join account_move_line
        on known_notes.id = account_move_line.move_id
    inner join sale_order_line_invoice_rel
        on account_move_line.id = sale_order_line_invoice_rel.invoice_line_id
    inner join sale_order_line
        on sale_order_line_invoice_rel.order_line_id = sale_order_line.id
    inner join sale_order
        on sale_order_line.order_id = sale_order.id
    group by account_move_line.id

),

note_lines as (

    select
        'account.move' as document_model,
        known_notes.id as document_id,
        account_move_line.id as line_id,
        known_notes.noted_at as occurred_at,
        known_notes.written_at,
        known_notes.partner_id,
        account_move_line.product_id,
        account_move_line.quantity,
        account_move_line.discount as discount_pct,
        'return' as kind,
        account_move_line.balance as amount,
        cast(null as numeric) as margin,
        cast(null as text) as channel,
        case
            when known_notes.noted_at is null then 'bad_date'
            when not given_back.is_of_a_sale then 'order_not_counted'
            when given_back.is_of_a_down_payment then 'down_payment'
            when given_back.is_of_a_return then 'counted_with_order'
            when
                given_back.note_line_id is null
                and known_notes.reversed_entry_id is not null
                and not exists (
                    select 1
                    from account_move_line as invoice_line
                    inner join sale_order_line_invoice_rel
                        on invoice_line.id = sale_order_line_invoice_rel.invoice_line_id
                    where invoice_line.move_id = known_notes.reversed_entry_id
                )
                then 'invoice_without_order'
        end as fault
    from known_notes
    inner join account_move_line
        on known_notes.id = account_move_line.move_id
    left join given_back
        on account_move_line.id = given_back.note_line_id
    where account_move_line.display_type = 'product'

),

lines as (

    select * from order_lines
    union all
    select * from note_lines

),

-- NaN is greater than every number, so the range test rejects it, like infinity.
numbered as (

    select
        lines.*,
        case
            when lines.fault is not null then lines.fault
            when lines.quantity is null or lines.amount is null then 'missing_number'
            when
                not (
                    abs(lines.quantity) < 1e14
                    and abs(lines.amount) < 1e14
                    and abs(coalesce(lines.discount_pct, 0)) < 1e14
                )
                then 'bad_number'
        end as line_fault
    from lines

),

rounded as (

    select
        numbered.*,
        case when numbered.line_fault is null then greatest(round(numbered.amount, 4), 0) else 0 end
            as earned,
        case when numbered.line_fault is null then greatest(-round(numbered.amount, 4), 0) else 0 end
            as given_amount
    from numbered

),

totalled as (

    select
        rounded.*,
        sum(rounded.given_amount)
            over (partition by rounded.document_model, rounded.document_id, rounded.kind)
            as all_given,
        sum(rounded.earned) over (partition by rounded.document_model, rounded.document_id, rounded.kind)
            as all_earned,
        sum(rounded.earned) over (
            partition by rounded.document_model, rounded.document_id, rounded.kind
            order by rounded.line_id
        ) as earned_so_far
    from rounded

),

-- Rounding the running total, not each share, makes the shares add up to the discount.
shared as (

    select
        totalled.*,
        coalesce(
            round(totalled.all_given * totalled.earned_so_far / nullif(totalled.all_earned, 0), 4)
            - round(
                totalled.all_given * (totalled.earned_so_far - totalled.earned)
                / nullif(totalled.all_earned, 0),
                4
            ),
            0
        ) as share_amount
    from totalled
    where
        totalled.line_fault is not null
        or totalled.given_amount = 0
        or totalled.all_given > totalled.all_earned

),

priced as (

    select
        shared.*,
        case
            when shared.line_fault is not null then shared.amount
            when shared.discount_pct > 0 and shared.discount_pct < 100
                then round(shared.earned / (1 - shared.discount_pct / 100), 4)
            else shared.earned
        end as gross_amount,
        case
            when shared.line_fault is not null then shared.amount
            else shared.earned - shared.share_amount
        end as net_amount,
        round(shared.margin, 4) - shared.share_amount as margin_amount
    from shared

),

judged as (

    select
        cast(priced.line_id as text) as line_id,
        priced.kind,
        priced.occurred_at,
        priced.written_at,
        priced.product_id,
        priced.gross_amount,
        priced.net_amount,
        priced.margin_amount,
        priced.channel,
        priced.document_model || ',' || priced.document_id as transaction_id,
        abs(priced.quantity) as quantity,
        case
            when priced.partner_id not in (select visitors.partner_id from visitors)
                then cast(coalesce(res_partner.commercial_partner_id, priced.partner_id) as text)
        end as customer_id,
        case
            when priced.line_fault is not null then priced.line_fault
            when not abs(priced.gross_amount) < 1e14 then 'bad_number'
            when priced.all_given > priced.all_earned then 'discount_over_gross'
        end as rejected_reason
    from priced
    left join res_partner
        on priced.partner_id = res_partner.id

)

select
    judged.transaction_id,
    judged.line_id,
    judged.kind,
    judged.occurred_at,
    cast(judged.occurred_at at time zone :timezone as date) as order_date,
    judged.customer_id,
    judged.channel,
    judged.rejected_reason,
    cast(null as text) as payment_method,
    cast(null as text) as programme_id,
    cast(judged.product_id as text) as product_id,
    case when judged.quantity < 1e14 then cast(round(judged.quantity, 4) as text) end as quantity,
    case when abs(judged.gross_amount) < 1e14 then cast(round(judged.gross_amount, 4) as text) end
        as gross_amount,
    case
        when abs(judged.gross_amount) < 1e14 and abs(judged.net_amount) < 1e14
            then cast(round(judged.gross_amount - judged.net_amount, 4) as text)
    end as discount_amount,
    case when abs(judged.net_amount) < 1e14 then cast(round(judged.net_amount, 4) as text) end
        as net_amount,
    case when abs(judged.margin_amount) < 1e14 then cast(round(judged.margin_amount, 4) as text) end
        as margin_amount,
    case when judged.rejected_reason is not null then cast(row_to_json(judged) as text) end as source_row
from judged

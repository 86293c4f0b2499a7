-- The first day with an order or a credit note, and whether there are any at all.
-- Grain: one row. Params: :earliest, :latest, :timezone, :company_id.

with firsts as (

    select cast(min(date_order) at time zone 'UTC' at time zone :timezone as date) as first_day
    from sale_order
    where
        company_id = :company_id
        and state in ('sale', 'done', 'cancel')
        and date_order >= cast(:earliest as timestamp with time zone) at time zone 'UTC'
        and date_order < cast(:latest as timestamp with time zone) at time zone 'UTC'
    union all
    select min(invoice_date) as first_day
    from account_move
    where
        company_id = :company_id
        and move_type = 'out_refund'
        and state = 'posted'
        and invoice_date >= cast(cast(:earliest as timestamp with time zone) at time zone :timezone as date)
        and invoice_date < cast(cast(:latest as timestamp with time zone) at time zone :timezone as date)

)

select
    min(firsts.first_day) as first_day,
    exists (
        select 1 from sale_order
        where
            sale_order.company_id = :company_id
            and sale_order.state in ('sale', 'done', 'cancel')
    ) or exists (
        select 1 from account_move
        where
            account_move.company_id = :company_id
            and account_move.move_type = 'out_refund'
            and account_move.state = 'posted'
    ) as has_rows
from firsts

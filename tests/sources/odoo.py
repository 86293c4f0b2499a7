"""The first words of statements that fill Odoo's tables (odoo.sql)."""

PARTNER = "insert into res_partner (id, name, commercial_partner_id, customer_rank, create_date) values "
ORDER = "insert into sale_order (id, name, company_id, partner_id, state, date_order, currency_rate) values "
LINE = (
    "insert into sale_order_line (id, order_id, product_id, product_uom_qty, price_subtotal, discount,"
    " display_type, is_downpayment) values "
)
NOTE = (
    "insert into account_move (id, company_id, partner_id, move_type, state, invoice_date,"
    " reversed_entry_id) values "
)
NOTE_LINE = "insert into account_move_line (id, move_id, product_id, quantity, balance, display_type) values "
LINK = "insert into sale_order_line_invoice_rel values "

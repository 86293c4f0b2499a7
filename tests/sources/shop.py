"""The first words of statements that fill a shop's tables."""

ORDER = "insert into orders (order_id, customer_id, ordered_at) values "
LINE = (
    "insert into order_lines (order_id, line_no, product_id, quantity, gross_amount, discount_amount) values "
)

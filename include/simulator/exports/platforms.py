"""A shop's orders as the exports of platforms: header and cells."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from include.simulator.exports.cells import Rows, customer, sign
from include.simulator.exports.shop import Shop


def shopify(shop: Shop, random: Random, language: str) -> Rows:
    """Shopify's order export: totals on the first line, refunds in a column."""
    rows: Rows = []
    for o in shop.orders:
        shipping = Decimal(random.choice(["0.00", "4.90"]))
        for i, line in enumerate(o.lines):
            head = i == 0
            status = {"cancelled": "voided", "refunded": "refunded", "partly": "partially_refunded"}.get(
                o.state, "paid"
            )
            rows.append(
                {
                    "Name": f"#{o.number}",
                    "Email": customer(o, random, mail=True),
                    "Financial Status": status if head else "",
                    "Currency": shop.currency if head else "",
                    "Subtotal": o.amount if head else "",
                    "Shipping": shipping if head else "",
                    "Taxes": Decimal("0.00") if head else "",
                    "Total": o.amount + shipping if head else "",
                    "Created at": o.at.strftime("%Y-%m-%d %H:%M:%S +0200"),
                    "Lineitem quantity": Decimal(line.quantity),
                    "Lineitem name": line.product,
                    "Lineitem price": line.price,
                    "Refunded Amount": (o.refund + (shipping if o.state == "refunded" else 0))
                    if head
                    else "",
                }
            )
    return rows


def woocommerce(shop: Shop, random: Random, language: str) -> Rows:
    """WooCommerce orders: guests have customer id 0 and an e-mail; totals contain shipping."""
    rows: Rows = []
    for o in shop.orders:
        shipping = Decimal(random.choice(["0.00", "5.00"]))
        status = {"cancelled": random.choice(["cancelled", "failed"]), "refunded": "refunded"}.get(
            o.state, "completed"
        )
        rows.append(
            {
                "order_id": str(o.number),
                "order_date": o.at.strftime("%Y-%m-%d %H:%M:%S"),
                "status": status,
                "shipping_total": shipping,
                "tax_total": Decimal("0.00"),
                "order_total": o.amount + shipping,
                "order_currency": shop.currency,
                "customer_id": random.choice(["0", str(o.customer or 0)]),
                "customer_email": customer(o, random, mail=True) or "",
            }
        )
    return [{**row, "customer_id": "0"} if not row["customer_email"] else row for row in rows]


def square(shop: Shop, random: Random, language: str) -> Rows:
    """Square's transactions: gross, discounts and net with signs."""
    return [
        {
            "Date": o.at.strftime("%m/%d/%y"),
            "Time": o.at.strftime("%H:%M:%S"),
            "Time Zone": "Eastern Time (US & Canada)",
            "Gross Sales": sign(o) * (o.amount + 5),
            "Discounts": sign(o) * Decimal("-5.00"),
            "Net Sales": sign(o) * o.amount,
            "Total Collected": sign(o) * o.amount,
            "Transaction ID": f"T{o.number}",
            "Event Type": "Refund" if o.is_return else "Payment",
            "Customer ID": customer(o, random) if o.customer is not None else "",
        }
        for o in shop.orders
    ]


def stripe(shop: Shop, random: Random, language: str) -> Rows:
    """Stripe's payments: failed ones, and refunds in a column."""
    return [
        {
            "id": f"ch_{o.number}",
            "Created (UTC)": o.at.strftime("%Y-%m-%d %H:%M:%S"),
            "Amount": o.amount,
            "Amount Refunded": o.refund,
            "Currency": shop.currency.lower(),
            "Status": {"cancelled": "Failed", "refunded": "Refunded"}.get(o.state, "Paid"),
            "Customer ID": f"cus_{o.customer}" if o.customer is not None else "",
        }
        for o in shop.orders
    ]


def paypal(shop: Shop, random: Random, language: str) -> Rows:
    """PayPal's activity: payments, refunds to the customer, withdrawals and fees."""
    rows: Rows = []
    for o in shop.orders:
        who = customer(o, random, mail=True)
        sides = ("shop@example.com", who) if o.is_return else (who, "shop@example.com")
        base = {
            "Date": o.at.strftime("%m/%d/%Y"),
            "Time": o.at.strftime("%H:%M:%S"),
            "TimeZone": "PST",
            "Name": "X",
        }
        rows.append(
            {
                **base,
                "Type": "Payment Refund" if o.is_return else "Express Checkout Payment",
                "Status": "Denied" if o.state == "cancelled" else "Completed",
                "Currency": shop.currency,
                "Gross": sign(o) * o.amount,
                "Fee": Decimal("-0.35"),
                "Net": sign(o) * o.amount - Decimal("0.35"),
                "From Email Address": sides[0],
                "To Email Address": sides[1],
                "Transaction ID": f"TX{o.number}",
            }
        )
        if random.random() < 0.05:
            rows.append(
                {
                    **base,
                    "Type": "General Withdrawal",
                    "Status": "Completed",
                    "Currency": shop.currency,
                    "Gross": Decimal("-500.00"),
                    "Fee": Decimal("0.00"),
                    "Net": Decimal("-500.00"),
                    "From Email Address": "shop@example.com",
                    "To Email Address": "",
                    "Transaction ID": f"W{o.number}",
                }
            )
    return rows


def uci(shop: Shop, random: Random, language: str) -> Rows:
    """The UCI files: returns begin with C and have negative quantities."""
    return [
        {
            "InvoiceNo": f"{'C' if o.is_return else ''}{o.number}",
            "StockCode": line.product,
            "Description": f"THING {line.product}",
            "Quantity": Decimal(sign(o) * line.quantity),
            "InvoiceDate": o.at,
            "UnitPrice": line.price,
            "CustomerID": f"{12000 + o.customer}.0" if o.customer is not None else "",
            "Country": "France",
        }
        for o in shop.orders
        for line in o.lines
    ]


def magento(shop: Shop, random: Random, language: str) -> Rows:
    """Magento's grid of orders: closed is refunded."""
    return [
        {
            "ID": f"{o.number:09}",
            "Purchase Point": "Main",
            "Purchase Date": f"{o.at:%b} {o.at.day}, {o.at.year} {o.at:%I:%M:%S %p}",
            "Bill-to Name": "x",
            "Grand Total (Base)": o.amount + 7,
            "Grand Total (Purchased)": o.amount + 7,
            "Subtotal": o.amount,
            "Status": {"cancelled": "canceled", "refunded": "closed"}.get(o.state, "complete"),
            "Customer Email": customer(o, random, mail=True),
        }
        for o in shop.orders
    ]


def odoo(shop: Shop, random: Random, language: str) -> Rows:
    """Odoo's export of sales orders: the head on the first line, quotations among them."""
    rows: Rows = []
    for o in shop.orders:
        state = {"cancelled": random.choice(["Cancelled", "Quotation"])}.get(o.state, "Sales Order")
        for i, line in enumerate(o.lines):
            head = i == 0
            rows.append(
                {
                    "Order Reference": f"S{o.number:05}" if head else "",
                    "Order Date": o.at.strftime("%Y-%m-%d %H:%M:%S") if head else "",
                    "Customer": f"Customer {o.customer}" if head else "",
                    "Order Lines/Product": line.product,
                    "Order Lines/Quantity": Decimal(line.quantity),
                    "Order Lines/Subtotal": line.amount,
                    "Untaxed Amount": o.amount if head else "",
                    "Status": state if head else "",
                }
            )
    return rows


def superstore(shop: Shop, random: Random, language: str) -> Rows:
    """Superstore: Sales is the line's total, Discount a share."""
    return [
        {
            "Row ID": str(i),
            "Order ID": f"CA-{o.number}",
            "Order Date": o.at,
            "Ship Date": o.at,
            "Customer ID": f"CG-{o.customer}",
            "Customer Name": "x",
            "State": "Texas",
            "Product ID": line.product,
            "Category": "F",
            "Product Name": "n, n",
            "Sales": line.amount,
            "Quantity": Decimal(line.quantity),
            "Discount": Decimal("0.20"),
            "Profit": Decimal("1.00"),
        }
        for i, (o, line) in enumerate((o, line) for o in shop.orders for line in o.lines)
    ]


def etsy(shop: Shop, random: Random, language: str) -> Rows:
    """Etsy's orders: value, discount, shipping."""
    return [
        {
            "Sale Date": o.at.strftime("%m/%d/%y"),
            "Order ID": str(o.number),
            "Buyer User ID": f"b{o.customer}",
            "Full Name": "x",
            "Number of Items": Decimal(1),
            "Currency": shop.currency,
            "Order Value": o.amount + 3,
            "Discount Amount": Decimal("3.00"),
            "Shipping": Decimal("4.00"),
            "Sales Tax": Decimal("0.00"),
            "Order Total": o.amount + 4,
            "Buyer": f"n{o.customer}",
        }
        for o in shop.orders
    ]


def bigcommerce(shop: Shop, random: Random, language: str) -> Rows:
    """BigCommerce's orders: guests have customer id 0 and an e-mail."""
    return [
        {
            "Order ID": str(o.number),
            "Customer ID": random.choice(["0", str(o.customer or 0)]) if o.customer is not None else "0",
            "Customer Email": customer(o, random, mail=True),
            "Order Date": o.at,
            "Order Status": "Cancelled" if o.state == "cancelled" else "Shipped",
            "Subtotal (inc tax)": o.amount * 2,
            "Subtotal (ex tax)": o.amount,
            "Order Total (inc tax)": o.amount * 2 + 5,
            "Order Currency Code": shop.currency,
        }
        for o in shop.orders
    ]

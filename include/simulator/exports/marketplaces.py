"""A shop's orders as the exports of marketplaces, plugins and tills: header and cells.

The sources of the header names are in ``include/intake/platforms.yaml``.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random

from include.simulator.exports.cells import Rows, customer
from include.simulator.exports.shop import Shop


def amazon(shop: Shop, random: Random, language: str) -> Rows:
    """Amazon's unshipped orders: one row per line, with the buyer's address."""
    return [
        {
            "order-id": f"058-{o.number}",
            "order-item-id": f"{o.number}{i}",
            "purchase-date": o.at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "buyer-email": customer(o, random, mail=True),
            "buyer-name": "X",
            "sku": line.product,
            "product-name": "Thing",
            "quantity-purchased": str(line.quantity),
            "currency": shop.currency,
            "item-price": line.amount,
            "item-tax": Decimal("0.00"),
            "shipping-price": Decimal("3.00"),
        }
        for o in shop.orders
        for i, line in enumerate(o.lines)
    ]


def ebay(shop: Shop, random: Random, language: str) -> Rows:
    """eBay's orders report: price per item; the totals contain shipping."""
    return [
        {
            "Sales Record Number": str(o.number),
            "Order Number": f"01-{o.number}",
            "Buyer Username": f"buyer{o.customer}",
            "Buyer Name": "X",
            "Item Number": line.product,
            "Item Title": "Thing",
            "Quantity": Decimal(line.quantity),
            "Sold For": line.price,
            "Shipping And Handling": Decimal("3.00"),
            "Total Price": line.amount + 3,
            "Sale Date": o.at.strftime("%b-%d-%y"),
            "Paid On Date": o.at.strftime("%b-%d-%y"),
        }
        for o in shop.orders
        for line in o.lines
    ]


def prestashop(shop: Shop, random: Random, language: str) -> Rows:
    """PrestaShop's list of orders, in French or English: a name, a total and a status."""
    french = random.random() < 0.5
    words = ("Livré", "Annulé", "Remboursé") if french else ("Delivered", "Canceled", "Refunded")
    names = (
        ("ID", "Référence", "Nouveau client", "Client", "Total", "Paiement", "État", "Date")
        if french
        else ("ID", "Reference", "New client", "Customer", "Total", "Payment", "Status", "Date")
    )
    return [
        dict(
            zip(
                names,
                (
                    str(o.number),
                    f"REF{o.number}",
                    "0",
                    f"P. Person{o.customer}",
                    o.amount,
                    "cc",
                    words[{"cancelled": 1, "refunded": 2}.get(o.state, 0)],
                    o.at.strftime("%Y-%m-%d %H:%M:%S"),
                ),
                strict=True,
            )
        )
        for o in shop.orders
    ]


def lightspeed(shop: Shop, random: Random, language: str) -> Rows:
    """Lightspeed's sales history: a row of the sale, of each line and of the payment."""
    rows: Rows = []
    for o in shop.orders:
        head: dict[str, object] = {
            "Date": o.at.strftime("%Y-%m-%d %H:%M:%S"),
            "Receipt Number": str(o.number),
            "Customer Code": customer(o, random),
        }
        status = "VOIDED" if o.state == "cancelled" else "CLOSED"

        def row(
            kind: str,
            quantity: object,
            amount: object,
            *,
            of: dict[str, object] = head,
            state: str = status,
        ) -> dict[str, object]:
            rest = {"Line Type": kind, "Quantity": quantity, "Subtotal": amount, "Total": amount}
            return {**of, **rest, "Status": state, "Sku": ""}

        rows.append(row("Sale", Decimal(1), o.amount))
        rows += [
            {**row("Sale Line", Decimal(line.quantity), line.amount), "Sku": line.product} for line in o.lines
        ]
        rows.append(row("Payment", "", o.amount))
    return rows


def woocommerce_export(shop: Shop, random: Random, language: str) -> Rows:
    """The order export of WooCommerce: order fields on each line, refunds in a column."""
    words = {"cancelled": "Cancelled", "refunded": "Refunded"}
    return [
        {
            "Order Number": str(o.number),
            "Order Status": words.get(o.state, "Completed"),
            "Order Date": o.at.strftime("%Y-%m-%d %H:%M"),
            "Email (Billing)": customer(o, random, mail=True),
            "Cart Discount Amount": Decimal("1.00"),
            "Order Subtotal Amount": o.amount + 1,
            "Order Shipping Amount": Decimal("5.00"),
            "Order Refund Amount": o.refund,
            "Order Total Amount": o.amount + 5,
            "SKU": line.product,
            "Item Name": "Thing",
            "Quantity (- Refund)": Decimal(line.quantity),
            "Item Cost": line.price,
        }
        for o in shop.orders
        for line in o.lines
    ]


def woocommerce_analytics(shop: Shop, random: Random, language: str) -> Rows:
    """The order report of WooCommerce Analytics: net sales by name of customer."""
    return [
        {
            "Date": o.at.strftime("%Y-%m-%d %H:%M:%S"),
            "Order #": str(o.number),
            "N. Revenue (formatted)": "x",
            "Status": "cancelled" if o.state == "cancelled" else "completed",
            "Customer": f"Person {o.customer}" if o.customer is not None else "",
            "Customer type": "returning",
            "Product(s)": "1x A",
            "Items sold": Decimal(1),
            "Net sales": o.amount,
        }
        for o in shop.orders
    ]


def etsy_items(shop: Shop, random: Random, language: str) -> Rows:
    """Etsy's sold items: the discount is of the line."""
    return [
        {
            "Sale Date": o.at.strftime("%m/%d/%y"),
            "Item Name": "Thing",
            "Buyer": f"n{o.customer}",
            "Quantity": Decimal(line.quantity),
            "Price": line.price,
            "Discount Amount": Decimal("1.00"),
            "Order Shipping": Decimal("5.00"),
            "Item Total": line.amount + 1,
            "Currency": shop.currency,
            "Transaction ID": f"{o.number}{i}",
            "Listing ID": line.product,
            "Order ID": str(o.number),
        }
        for o in shop.orders
        for i, line in enumerate(o.lines)
    ]

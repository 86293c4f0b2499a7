"""A shop's orders as the rows of a platform or of a till: header and cells, in one random style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

from tests.intake.truth import Order, Truth

Rows = list[dict[str, object]]  # cells: text, Decimal or datetime, written in the file's style later

HEADERS = {
    "en": ("Order ID", "Order Date", "Customer ID", "Product", "Quantity", "Unit Price", "Line Total", "Order Total", "Status", "Type"),
    "tr": ("Sipariş No", "Tarih", "Müşteri No", "Ürün", "Adet", "Birim Fiyat", "Satır Tutarı", "Genel Toplam", "Durum", "İşlem Tipi"),
    "de": ("Bestellnummer", "Bestelldatum", "Kundennummer", "Artikel", "Menge", "Einzelpreis", "Gesamtpreis", "Bestellsumme", "Bestellstatus", "Belegart"),
    "fr": ("N° commande", "Date de commande", "N° client", "Produit", "Quantité", "Prix unitaire", "Montant", "Total TTC", "Statut", "Type"),
    "es": ("Número de pedido", "Fecha", "Código cliente", "Producto", "Cantidad", "Precio unitario", "Importe", "Total pedido", "Estado", "Tipo"),
    "zh": ("订单编号", "下单时间", "客户ID", "商品名称", "数量", "单价", "金额", "订单金额", "订单状态", "类型"),
    "ru": ("Номер заказа", "Дата", "Клиент", "Товар", "Количество", "Цена", "Сумма", "Итого", "Статус", "Тип"),
    "ours": ("transaction_id", "occurred_at", "customer_id", "product_id", "quantity", "unit_price", "net_amount", "order_amount", "status", "kind"),
}  # fmt: skip
WORDS = {
    "en": ("Completed", "Cancelled", "Refunded", "Sale", "Return"), "tr": ("Tamamlandı", "İptal", "İade edildi", "Satış", "İade"),
    "de": ("Bezahlt", "Storniert", "Erstattet", "Verkauf", "Retoure"), "fr": ("Payé", "Annulé", "Remboursé", "Vente", "Avoir"),
    "es": ("Pagado", "Cancelado", "Reembolsado", "Venta", "Devolución"), "zh": ("已完成", "已取消", "已退款", "销售", "退货"),
    "ru": ("Выполнен", "Отменен", "Возвращён", "Продажа", "Возврат"), "ours": ("completed", "cancelled", "refunded", "sale", "return"),
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One way to lay orders out, and what of the truth it can tell."""

    make: Callable[[Truth, Random, str], Rows]
    returns: bool = False
    states: bool = False
    refunds: bool = False  # amounts given back
    guests: bool = True
    plain: bool = False  # the platform fixes dates and numbers
    languages: bool = False


def customer(order: Order, random: Random, *, mail: bool = False) -> str:
    """The id of a customer; a guest is blank or a placeholder."""
    if order.customer is None:
        return random.choice(["", "", "guest", "N/A", "0"]) if not mail else ""
    return f"c{order.customer}@example.com" if mail else f"{12000 + order.customer}"


def _sign(order: Order) -> int:
    return -1 if order.is_return else 1


def order_rows(truth: Truth, random: Random, language: str) -> Rows:
    """One row per order; returns are negative."""
    names = HEADERS[language]
    amount = random.choice([6, 7])
    return [
        {
            names[0]: str(o.number),
            names[1]: o.at,
            names[2]: customer(o, random),
            names[amount]: _sign(o) * o.amount,
        }
        for o in truth.orders
    ]


def order_rows_with_words(truth: Truth, random: Random, language: str) -> Rows:
    """One row per order, with a state and a kind; amounts are positive."""
    names, words = HEADERS[language], WORDS[language]
    return [
        {
            names[0]: str(o.number), names[1]: o.at, names[2]: customer(o, random), names[7]: o.amount,
            names[8]: words[{"cancelled": 1, "refunded": 2}.get(o.state, 0)], names[9]: words[4 if o.is_return else 3],
        }
        for o in truth.orders
    ]  # fmt: skip


def line_rows(truth: Truth, random: Random, language: str) -> Rows:
    """One row per line: quantity and unit price, and sometimes totals."""
    names = HEADERS[language]
    with_line, with_order = random.random() < 0.4, random.random() < 0.4
    rows: Rows = []
    for o in truth.orders:
        who = customer(o, random)
        for line in o.lines:
            row: dict[str, object] = {
                names[0]: str(o.number), names[1]: o.at, names[2]: who, names[3]: line.product,
                names[4]: Decimal(_sign(o) * line.quantity), names[5]: line.price,
            }  # fmt: skip
            if with_line:
                row[names[6]] = _sign(o) * line.amount
            if with_order:
                row[names[7]] = _sign(o) * o.amount
            rows.append(row)
    return rows


def head_on_first_line(truth: Truth, random: Random, language: str) -> Rows:
    """One row per line; the order's fields stand on its first line alone."""
    names = HEADERS[language]
    rows: Rows = []
    for o in truth.orders:
        for i, line in enumerate(o.lines):
            head = i == 0
            rows.append(
                {
                    names[0]: str(o.number) if head else "", names[1]: o.at if head else "",
                    names[2]: customer(o, random) if head else "", names[3]: line.product,
                    names[4]: Decimal(_sign(o) * line.quantity), names[6]: _sign(o) * line.amount,
                }
            )  # fmt: skip
    return rows


def shopify(truth: Truth, random: Random, language: str) -> Rows:
    """Shopify's order export: totals on the first line, refunds in a column."""
    rows: Rows = []
    for o in truth.orders:
        shipping = Decimal(random.choice(["0.00", "4.90"]))
        for i, line in enumerate(o.lines):
            head = i == 0
            status = {"cancelled": "voided", "refunded": "refunded", "partly": "partially_refunded"}.get(
                o.state, "paid"
            )
            rows.append(
                {
                    "Name": f"#{o.number}", "Email": customer(o, random, mail=True), "Financial Status": status if head else "",
                    "Currency": truth.currency if head else "", "Subtotal": o.amount if head else "", "Shipping": shipping if head else "",
                    "Taxes": Decimal("0.00") if head else "", "Total": o.amount + shipping if head else "",
                    "Created at": o.at.strftime("%Y-%m-%d %H:%M:%S +0200"), "Lineitem quantity": Decimal(line.quantity),
                    "Lineitem name": line.product, "Lineitem price": line.price,
                    "Refunded Amount": (o.refund + (shipping if o.state == "refunded" else 0)) if head else "",
                }
            )  # fmt: skip
    return rows


def woocommerce(truth: Truth, random: Random, language: str) -> Rows:
    """WooCommerce orders: guests have customer id 0 and an e-mail; totals contain shipping."""
    rows: Rows = []
    for o in truth.orders:
        shipping = Decimal(random.choice(["0.00", "5.00"]))
        status = {"cancelled": random.choice(["cancelled", "failed"]), "refunded": "refunded"}.get(
            o.state, "completed"
        )
        rows.append(
            {
                "order_id": str(o.number), "order_date": o.at.strftime("%Y-%m-%d %H:%M:%S"), "status": status,
                "shipping_total": shipping, "tax_total": Decimal("0.00"), "order_total": o.amount + shipping,
                "order_currency": truth.currency, "customer_id": random.choice(["0", str(o.customer or 0)]),
                "customer_email": customer(o, random, mail=True) or "",
            }
        )  # fmt: skip
    return [{**row, "customer_id": "0"} if not row["customer_email"] else row for row in rows]


def square(truth: Truth, random: Random, language: str) -> Rows:
    """Square's transactions: gross, discounts and net with signs."""
    return [
        {
            "Date": o.at.strftime("%m/%d/%y"), "Time": o.at.strftime("%H:%M:%S"), "Time Zone": "Eastern Time (US & Canada)",
            "Gross Sales": _sign(o) * (o.amount + 5), "Discounts": _sign(o) * Decimal("-5.00"), "Net Sales": _sign(o) * o.amount,
            "Total Collected": _sign(o) * o.amount, "Transaction ID": f"T{o.number}", "Event Type": "Refund" if o.is_return else "Payment",
            "Customer ID": customer(o, random) if o.customer is not None else "",
        }
        for o in truth.orders
    ]  # fmt: skip


def stripe(truth: Truth, random: Random, language: str) -> Rows:
    """Stripe's payments: failed ones, and refunds in a column."""
    return [
        {
            "id": f"ch_{o.number}", "Created (UTC)": o.at.strftime("%Y-%m-%d %H:%M:%S"), "Amount": o.amount, "Amount Refunded": o.refund,
            "Currency": truth.currency.lower(), "Status": {"cancelled": "Failed", "refunded": "Refunded"}.get(o.state, "Paid"),
            "Customer ID": f"cus_{o.customer}" if o.customer is not None else "",
        }
        for o in truth.orders
    ]  # fmt: skip


def paypal(truth: Truth, random: Random, language: str) -> Rows:
    """PayPal's activity: payments, refunds to the customer, withdrawals and fees."""
    rows: Rows = []
    for o in truth.orders:
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
                **base, "Type": "Payment Refund" if o.is_return else "Express Checkout Payment",
                "Status": "Denied" if o.state == "cancelled" else "Completed", "Currency": truth.currency, "Gross": _sign(o) * o.amount,
                "Fee": Decimal("-0.35"), "Net": _sign(o) * o.amount - Decimal("0.35"), "From Email Address": sides[0],
                "To Email Address": sides[1], "Transaction ID": f"TX{o.number}",
            }
        )  # fmt: skip
        if random.random() < 0.05:
            rows.append(
                {
                    **base, "Type": "General Withdrawal", "Status": "Completed", "Currency": truth.currency, "Gross": Decimal("-500.00"),
                    "Fee": Decimal("0.00"), "Net": Decimal("-500.00"), "From Email Address": "shop@example.com", "To Email Address": "",
                    "Transaction ID": f"W{o.number}",
                }
            )  # fmt: skip
    return rows


def uci(truth: Truth, random: Random, language: str) -> Rows:
    """The UCI files: returns begin with C and have negative quantities."""
    return [
        {
            "InvoiceNo": f"{'C' if o.is_return else ''}{o.number}", "StockCode": line.product, "Description": f"THING {line.product}",
            "Quantity": Decimal(_sign(o) * line.quantity), "InvoiceDate": o.at, "UnitPrice": line.price,
            "CustomerID": f"{12000 + o.customer}.0" if o.customer is not None else "", "Country": "France",
        }
        for o in truth.orders
        for line in o.lines
    ]  # fmt: skip


def magento(truth: Truth, random: Random, language: str) -> Rows:
    """Magento's grid of orders: closed is refunded."""
    return [
        {
            "ID": f"{o.number:09}", "Purchase Point": "Main", "Purchase Date": f"{o.at:%b} {o.at.day}, {o.at.year} {o.at:%I:%M:%S %p}",
            "Bill-to Name": "x", "Grand Total (Base)": o.amount + 7, "Grand Total (Purchased)": o.amount + 7, "Subtotal": o.amount,
            "Status": {"cancelled": "canceled", "refunded": "closed"}.get(o.state, "complete"), "Customer Email": customer(o, random, mail=True),
        }
        for o in truth.orders
    ]  # fmt: skip


def no_order_id(truth: Truth, random: Random, language: str) -> Rows:
    """Customer, date and amount alone."""
    names = HEADERS[language]
    return [{names[1]: o.at, names[2]: customer(o, random), names[6]: o.amount} for o in truth.orders]


KINDS = {
    "orders": Kind(order_rows, returns=True, languages=True),
    "words": Kind(order_rows_with_words, returns=True, states=True, languages=True),
    "lines": Kind(line_rows, returns=True, languages=True),
    "head": Kind(head_on_first_line, returns=True, languages=True, guests=False),
    "shopify": Kind(shopify, states=True, refunds=True, plain=True),
    "woocommerce": Kind(woocommerce, states=True, refunds=True, plain=True),
    "square": Kind(square, returns=True, plain=True),
    "stripe": Kind(stripe, states=True, refunds=True, plain=True),
    "paypal": Kind(paypal, returns=True, states=True, plain=True),
    "uci": Kind(uci, returns=True),
    "magento": Kind(magento, states=True, refunds=True, plain=True),
    "no_order_id": Kind(no_order_id, languages=True, guests=False),
}


def typed(value: object) -> bool:
    """Whether a cell is written in the file's style."""
    return isinstance(value, Decimal | datetime)

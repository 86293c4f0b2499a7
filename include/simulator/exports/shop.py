"""Random sales whose shop is known: orders of customers with lines, returns, states and refunds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

CENT = Decimal("0.01")


@dataclass
class Line:
    """One line of an order."""

    product: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        """Quantity times price."""
        return self.quantity * self.price


@dataclass
class Order:
    """One order; ``state`` is paid, cancelled, refunded or partly; ``is_return`` gives money back."""

    number: int
    customer: int | None  # None: a guest
    at: datetime
    lines: list[Line]
    state: str = "paid"
    is_return: bool = False
    refund: Decimal = Decimal(0)
    currency: str = ""  # if the shop sells in several currencies

    @property
    def amount(self) -> Decimal:
        """What the order brought, as positive money."""
        return sum((line.amount for line in self.lines), start=Decimal(0))


@dataclass
class Shop:
    """The orders of a shop and the figures they come to."""

    orders: list[Order]
    currency: str = "EUR"

    def currencies(self) -> list[str]:
        """The currencies of the orders that count, if there are several."""
        found = sorted({order.currency for order in self.counted()})
        return found if len(found) > 1 else []

    def only(self, currency: str) -> Shop:
        """The shop's orders in one currency."""
        return Shop([order for order in self.orders if order.currency == currency], currency)

    def counted(self) -> list[Order]:
        """The orders without cancelled ones."""
        return [order for order in self.orders if order.state != "cancelled"]

    def figures(self) -> dict[str, object]:
        """Customers, orders, net amount, first and last day."""
        counted = self.counted()
        net = Decimal(0)
        for order in counted:
            net += -order.amount if order.is_return else order.amount - order.refund
        return {
            "customers": len({order.customer for order in counted if order.customer is not None}),
            "orders": len(counted),
            "net_amount": net,
            "first_day": min(order.at for order in self.orders).date(),
            "last_day": max(order.at for order in self.orders).date(),
        }


def random_shop(
    random: Random,
    *,
    whole: bool = False,
    with_returns: bool = False,
    with_states: bool = False,
    with_guests: bool = False,
    with_refunds: bool = False,
    single_lines: bool = False,
) -> Shop:
    """A shop of 3 to 60 customers and up to 250 orders, between 2019 and the middle of 2026."""
    size = random.choice([3, 8, 20, 60])
    count = random.choice([12, 40, 90, 250])
    start = date(2019, 1, 1) + timedelta(days=random.randrange(0, 1800))
    span = random.choice([20, 200, 700])
    products = [(f"SKU{i:03}", Decimal(random.randrange(150, 9000)) * CENT) for i in range(30)]
    top = random.choice([1, 1, 20])  # some shops sell for thousands
    first = random.randrange(1000, 9000)
    orders = []
    for i in range(count):
        moment = datetime.combine(start, datetime.min.time()) + timedelta(
            days=random.randrange(span), seconds=random.randrange(86_400)
        )
        lines = []
        for product, price in random.sample(products, 1 if single_lines else random.choice([1, 1, 2, 3, 4])):
            price = price * top
            if whole:
                price = price.to_integral_value()
            lines.append(Line(product, random.choice([1, 1, 1, 2, 3, 5]), price))
        order = Order(first + i, random.randrange(size), moment, lines)
        draw = random.random()
        if with_guests and draw < 0.15:
            order.customer = None
        draw = random.random()
        if with_states and draw < 0.1:
            order.state = "cancelled"
        elif with_returns and 0.1 < draw < 0.2:
            order.is_return = True
        elif with_refunds and 0.2 < draw < 0.35:
            full = random.random() < 0.5
            order.state = "refunded" if full else "partly"
            part = (order.amount / 3).quantize(CENT) if not whole else (order.amount // 3)
            order.refund = order.amount if full else part
        orders.append(order)
    orders[0].customer = orders[0].customer if orders[0].customer is not None else 0
    if orders[0].state == "cancelled":
        orders[0].state = "paid"
    return Shop(sorted(orders, key=lambda order: order.number), random.choice(["EUR", "USD", "GBP", "TRY"]))

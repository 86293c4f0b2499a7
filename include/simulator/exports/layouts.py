"""The ways to lay a shop's orders out as rows, and what of the shop each can express."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from include.simulator.exports import marketplaces, platforms, tills
from include.simulator.exports.cells import Rows
from include.simulator.exports.shop import Shop


@dataclass(frozen=True)
class Layout:
    """One way to lay orders out."""

    make: Callable[[Shop, Random, str], Rows]
    returns: bool = False
    states: bool = False  # cancelled orders, and refunded ones where refunds are expressed
    refunds: bool = False
    parts: bool = False  # part of an order's amount may be given back
    guests: bool = True
    is_fixed: bool = False  # the platform fixes the style of dates and numbers
    languages: bool = False
    has_head: bool = False  # the order's fields are only on its first line


LAYOUTS: dict[str, Layout] = {
    "orders": Layout(tills.order_rows, returns=True, languages=True),
    "words": Layout(tills.order_rows_with_words, returns=True, states=True, languages=True),
    "lines": Layout(tills.line_rows, returns=True, languages=True),
    "head": Layout(tills.head_on_first_line, returns=True, languages=True, guests=False, has_head=True),
    "repeated_total": Layout(tills.repeated_total, languages=True),
    "price_total": Layout(tills.price_total, languages=True),
    "discounted": Layout(tills.discounted, returns=True),
    "refund_column": Layout(tills.refund_column, states=True, refunds=True, parts=True, languages=True),
    "messy": Layout(tills.messy),
    "no_order_id": Layout(tills.no_order_id, languages=True, guests=False),
    "shopify": Layout(platforms.shopify, states=True, refunds=True, parts=True, is_fixed=True, has_head=True),
    "woocommerce": Layout(platforms.woocommerce, states=True, refunds=True, is_fixed=True),
    "woocommerce_export": Layout(
        marketplaces.woocommerce_export, states=True, refunds=True, parts=True, is_fixed=True
    ),
    "woocommerce_analytics": Layout(marketplaces.woocommerce_analytics, states=True, is_fixed=True),
    "square": Layout(platforms.square, returns=True, is_fixed=True),
    "stripe": Layout(platforms.stripe, states=True, refunds=True, parts=True, is_fixed=True),
    "paypal": Layout(platforms.paypal, returns=True, states=True, is_fixed=True),
    "uci": Layout(platforms.uci, returns=True),
    "magento": Layout(platforms.magento, states=True, refunds=True, is_fixed=True),
    "odoo": Layout(platforms.odoo, states=True, guests=False, is_fixed=True, has_head=True),
    "superstore": Layout(platforms.superstore, guests=False),
    "etsy": Layout(platforms.etsy, guests=False, is_fixed=True),
    "etsy_items": Layout(marketplaces.etsy_items, guests=False, is_fixed=True),
    "bigcommerce": Layout(platforms.bigcommerce, states=True),
    "amazon": Layout(marketplaces.amazon, is_fixed=True),
    "ebay": Layout(marketplaces.ebay, guests=False, is_fixed=True),
    "prestashop": Layout(marketplaces.prestashop, states=True, refunds=True, guests=False, is_fixed=True),
    "lightspeed": Layout(marketplaces.lightspeed, states=True, is_fixed=True),
}

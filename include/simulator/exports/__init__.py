"""Sales files as platforms, tills and spreadsheets export them, with known figures.

``random_shop`` draws orders; ``shop_of`` takes them from a simulated firm. ``LAYOUTS`` lists the layouts.
``write_file`` writes a file in a random dialect, encoding, locale and format. ``inspect`` must find the
figures of a shop in its file.
"""

from include.simulator.exports.layouts import LAYOUTS
from include.simulator.exports.random_file import RandomFile, random_file
from include.simulator.exports.shop import Line, Order, Shop, random_shop
from include.simulator.exports.simulated import shop_of, write_file

__all__ = [
    "LAYOUTS",
    "Line",
    "Order",
    "RandomFile",
    "Shop",
    "random_file",
    "random_shop",
    "shop_of",
    "write_file",
]

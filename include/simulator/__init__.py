"""Simulated firms with known parameters: BG/NBD purchases, Gamma-Gamma order values, returns, dropout.

``Plan`` describes a firm; ``generate`` creates it in bounded batches of customers, reproducible by its seed.
``include.simulator.writing`` writes it to a shop's schema in Postgres or to files, and
``include.simulator.exports`` as exports of platforms and tills. The true parameters of each customer
(purchase rate, dropout, spend, alive or not) are an extra table ``truth``. Rates are per week.
"""

from include.simulator.firm import TABLES, generate, products_of
from include.simulator.plan import LARGE, Plan
from include.simulator.writing import write_csv, write_postgres

__all__ = ["LARGE", "TABLES", "Plan", "generate", "products_of", "write_csv", "write_postgres"]

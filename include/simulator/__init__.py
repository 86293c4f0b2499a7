"""Firms whose truth is known: customers who buy by BG/NBD, spend by Gamma-Gamma, return, and leave.

``Plan`` says what a firm is like; ``generate`` makes it, customers in bounded batches, the same for
the same seed; ``include.simulator.writing`` puts it into a shop's schema in Postgres or into files.
The truth that a model is to find (each customer's rate, drop-out, spend, whether still alive) comes
as a table beside the data. Rates are per week, as in the papers.
"""

from include.simulator.firm import TABLES, generate, products_of
from include.simulator.plan import LARGE, Plan
from include.simulator.writing import write_csv, write_postgres

__all__ = ["LARGE", "TABLES", "Plan", "generate", "products_of", "write_csv", "write_postgres"]

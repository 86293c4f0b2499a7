"""Simple, strong models that the product is compared with out of time; none is tuned with ours.

Each module reads a ``Sales`` of one firm and answers for the customers known before a day.
"""

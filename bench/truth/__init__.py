"""The lane ``make truth``: the product's predictions out of time, beside those of ``bench/rivals``."""

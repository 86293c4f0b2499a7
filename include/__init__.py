"""Firmament: customer analytics for each firm, as of any date."""

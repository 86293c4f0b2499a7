"""Firmament: customer analytics for each firm, as of any date."""

from include.version import __version__

__all__ = ["__version__"]

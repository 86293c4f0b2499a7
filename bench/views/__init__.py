"""Views, functions and console queries of a generated warehouse, timed as an analyst's login."""

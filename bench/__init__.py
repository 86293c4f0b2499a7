"""Paired benchmarks: our code and a peer alternate in one run, and the result is their ratio.

Each module except ``rows`` has a function ``rows()`` that yields :class:`bench.rows.Row`;
``python -m bench`` runs them, prints one table and writes docs/bench.json.
"""

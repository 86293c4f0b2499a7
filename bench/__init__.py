"""Paired benchmarks: ours and a peer alternate in one run, and the ratio is the figure.

Each module here but ``rows`` has a function ``rows()`` that yields :class:`bench.rows.Row`;
``python -m bench`` finds them, prints one table and writes docs/bench.json.
"""

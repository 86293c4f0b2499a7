"""Training rows: one module per trained module, with the same name.

``stack`` of each yields the rows of an anchor (training date): features at past cutoffs, and the outcome
after each cutoff.
"""

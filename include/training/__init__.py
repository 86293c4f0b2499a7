"""Rows to train on: a module for each model that learns, named as the firm's module it serves.

``stack`` of each gives an anchor's rows: what was known at past cutoffs, beside what then happened.
"""

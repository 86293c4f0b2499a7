"""`make demo`: run two firms with real data and print their results."""

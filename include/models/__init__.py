"""Models: pure functions that fit on a small table and predict batch by batch."""

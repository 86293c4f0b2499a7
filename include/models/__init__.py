"""Models: pure functions that fit on small tables and predict batch by batch."""

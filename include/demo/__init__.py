"""`make demo`: real firms, run for real, and what came out of it."""

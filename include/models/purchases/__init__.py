"""Purchase counts (BG/NBD, MBG/NBD, Pareto/NBD) and order values (Gamma-Gamma)."""

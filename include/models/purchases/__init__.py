"""How often customers buy and for how much: BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma."""

"""Fault injection: each lane (a module with ``measure``) injects faults and counts violations."""

"""Proof by attack: each module here is a lane that injects faults and counts what breaks."""

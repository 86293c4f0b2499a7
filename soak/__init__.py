"""Checks that take longer than a suite may: `make soak`."""

"""Checks of what is said about a firm: segments' promises, sentences and effects of actions."""

"""Programs for maintainers: the baseline of facts, and the dump that the upgrade test restores."""

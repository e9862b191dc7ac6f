"""Photos to look through, to keep, delete and relabel."""

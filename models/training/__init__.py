"""Learning rates and training runs."""

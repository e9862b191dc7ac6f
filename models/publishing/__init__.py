"""A trained classifier, made ready for others: its bundle, its card, a folder for Binder."""

"""The training studio: every step from photos to a published classifier, one after the other."""

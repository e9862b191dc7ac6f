"""Collaborative filtering: ratings, the ladder of models, and what recommends."""

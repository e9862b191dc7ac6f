"""Vectors with labels: projections, neighbours, search."""

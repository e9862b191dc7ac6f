"""Marks on photos, and the one step in which they are carried out."""

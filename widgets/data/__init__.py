"""Getting and looking at photos."""

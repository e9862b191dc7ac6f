"""Walking through embeddings."""

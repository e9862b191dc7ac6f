"""What a trained classifier gets right and what it confuses."""

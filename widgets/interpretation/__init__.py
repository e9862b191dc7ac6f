"""What a classifier confuses."""

"""Ratings, recommendations and what is behind them."""

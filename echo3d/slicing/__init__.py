"""Stage 1: a heart seen through six fans."""

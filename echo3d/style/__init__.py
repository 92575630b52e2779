"""Stage 2: label slices become echo-like pictures."""

"""The window's side of the inference process."""

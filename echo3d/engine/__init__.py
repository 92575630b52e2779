"""The inference process of the window and its client."""

"""The inference process."""

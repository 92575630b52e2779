"""The words and shapes of the domain; NumPy only."""

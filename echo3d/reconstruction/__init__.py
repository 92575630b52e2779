"""Stage 4: echo images to a heart."""

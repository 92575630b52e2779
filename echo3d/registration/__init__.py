"""Stage 3: the field that carries the template onto a heart that has no correspondence with it."""

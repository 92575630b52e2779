"""Stage 0: hearts. The template, its modes, the beat, and whole drawn hearts."""

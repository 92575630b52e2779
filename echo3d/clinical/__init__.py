"""From the heart to numbers, overlays and reports."""

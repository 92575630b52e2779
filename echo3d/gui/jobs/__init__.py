"""The panel of background jobs, and their number in the status line."""

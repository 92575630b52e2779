"""Both workspaces in one file: what is saved, how it is written and found again, and what a crash leaves; no Qt."""

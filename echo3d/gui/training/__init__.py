"""The workspace in which networks are trained: what to train on what, how it goes, and what becomes of it."""

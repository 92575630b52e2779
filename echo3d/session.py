"""Frozen state of the application and pure functions that change it; no Qt."""

"""Sessions in the window: opening, saving, asking, autosave, recovery."""

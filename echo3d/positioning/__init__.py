"""A heart put into a body and seen by six probes: the state of the workspace and what follows from it; no Qt."""

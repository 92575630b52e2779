"""The positioning workspace: a heart in a body, six probes, six live pictures."""

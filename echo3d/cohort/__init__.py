"""Cohorts as folders: thousands of drawn hearts with their records, made in parallel, read back and described."""

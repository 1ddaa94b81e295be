"""The task platform of the agency's staff."""

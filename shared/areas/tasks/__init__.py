"""Workspaces, boards, groups and items: what the agency's staff work on, and what hangs on it."""

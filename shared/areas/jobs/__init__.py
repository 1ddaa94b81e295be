"""Keeping house: work that died, and what is finished and may go."""

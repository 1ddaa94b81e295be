"""Mail we send: how it looks, and what we know became of it."""

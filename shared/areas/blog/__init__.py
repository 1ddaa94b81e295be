"""Clients' blog posts, and what the AI suggests for them."""

"""A client's brand."""

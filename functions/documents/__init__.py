"""Documents of a client, and those shared with everybody."""

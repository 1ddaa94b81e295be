"""Documents: a client's own, those we give them, requests to review one, and those shared with everybody."""

"""Reviews of a client's business: read from Google, answered, asked for, and acted on by rules."""

"""Forms on other people's pages: what they look like, what may be sent, and what happens with a submission."""

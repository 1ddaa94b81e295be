"""A client's brand: what the business is called and looks like, and the files that show it."""

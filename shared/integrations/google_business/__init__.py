"""Google Business Profile: accounts, locations, reviews and replies."""

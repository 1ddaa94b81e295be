"""Google Business Profile: consent, accounts and locations."""

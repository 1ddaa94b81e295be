"""What vendors with OAuth 2.0 have in common: sign-in by code, tokens, and what their refusals mean."""

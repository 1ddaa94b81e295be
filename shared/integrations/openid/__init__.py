"""Sign-in with Google and Microsoft (OpenID Connect)."""

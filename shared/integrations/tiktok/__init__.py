"""TikTok: consent, and the public figures of an account."""

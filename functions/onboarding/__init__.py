"""Onboarding: by link, and for the signed-in client."""

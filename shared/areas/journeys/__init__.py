"""Winning a client's leads step by step, and whom they became: journeys, their template, active clients."""

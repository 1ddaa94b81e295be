"""Vendors: one package each, speaking HTTP and the vendor's words, knowing nothing of our tables."""

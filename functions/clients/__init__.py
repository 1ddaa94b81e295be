"""Clients and staff accounts, as admins keep them."""

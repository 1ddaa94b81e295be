"""The agency's clients and staff as admins keep them: accounts, settings, services."""

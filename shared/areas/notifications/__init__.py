"""Notices in the dashboard's bell, each also sent as a mail."""

"""Mailgun: sends mail, and tells by webhook what became of it."""

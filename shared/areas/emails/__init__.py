"""Mail, for every area: what is sent, what became of it, and the log that shows both."""

"""monday.com: its settings, clients' requests, and the two-way sync of tasks."""

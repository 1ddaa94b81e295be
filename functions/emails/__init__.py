"""Mail: sending it, and hearing what became of it."""

"""Files: serving them to whoever may see them, and clearing away what nothing holds."""

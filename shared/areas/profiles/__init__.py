"""A person's own profile, avatar and analytics address."""

"""Onboarding: the link that lets a client in, the steps they take, and what follows from the last one."""

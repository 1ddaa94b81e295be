"""Calls and messages of a client's prospects, and what the AI makes of them."""

"""A client's accounts at Google, Facebook, Instagram, TikTok and WordPress."""

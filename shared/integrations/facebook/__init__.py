"""Facebook: consent, pages, and the Instagram accounts behind them."""

"""The business, one package an area: models (shapes), rules (pure), service (use cases), store (SQL)."""

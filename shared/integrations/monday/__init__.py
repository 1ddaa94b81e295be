"""monday.com: boards, people and items over its GraphQL API."""

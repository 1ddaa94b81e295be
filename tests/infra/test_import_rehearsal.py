"""The cut-over, rehearsed on the old server's database as the migration's tests know it."""

import psycopg

from infra.compare_databases import compare
from tests.db.conftest import adopted, old  # noqa: F401  the old server's database, and one that was taken over

# What docs/operations/import-and-cut-over.md expects to read after the migration; every other table is as it was.
REWRITTEN = {
    "active_clients", "blog_posts", "brand_assets", "call_logs", "client_journeys", "client_onboarding_tokens",
    "client_profiles", "documents", "email_logs", "forms", "oauth_connections", "oauth_providers", "oauth_resources",
    "review_requests", "task_groups", "task_items", "task_time_entries", "users",
}  # fmt: skip


def findings(old_url, new_url):
    with psycopg.connect(old_url, autocommit=True) as before, psycopg.connect(new_url, autocommit=True) as after:
        return compare(before, after)


def test_taking_over_loses_no_row(old, adopted):  # noqa: F811
    """Tables and rows are all there afterwards; values change only where the decision says so."""
    found = findings(old, adopted)
    assert [one for one in found if "rows instead" in one.what or "missing" in one.what] == []
    assert {one.table for one in found} <= REWRITTEN

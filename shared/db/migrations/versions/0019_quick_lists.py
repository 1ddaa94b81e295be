"""Moments in lists can be inlined, and a board's sums are read from an index alone."""

from shared.db.migrations.run_sql import run_revision

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_revision("0019_quick_lists")

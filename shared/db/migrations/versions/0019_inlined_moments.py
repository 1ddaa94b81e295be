"""Moments in lists are told by a function that PostgreSQL can inline."""

from shared.db.migrations.run_sql import run_revision

revision = "0019"
down_revision = "0015"


def upgrade() -> None:
    run_revision("0019_inlined_moments")

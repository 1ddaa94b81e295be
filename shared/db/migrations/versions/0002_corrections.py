"""What was wrong in the old tables: keys, indexes, and data written once instead of at every start."""

from shared.db.migrations.run_sql import run_revision

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_revision("0002_corrections")

"""The old server's 71 tables, without the uuid-ossp and citext extensions."""

from shared.db.migrations.run_sql import run_revision

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_revision("0001_baseline")

"""Tasks: labels in one view, the trail of items, files deleted with their rows."""

from shared.db.migrations.run_sql import run_revision

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_revision("0011_tasks")

"""Time with a day of its own that survives groups and boards, and quick ways to mentions."""

from shared.db.migrations.run_sql import run_revision

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_revision("0012_task_work")

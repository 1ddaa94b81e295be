"""Monday: when each client's items were last read there."""

from shared.db.migrations.run_sql import run_revision

revision = "0018"
down_revision = "0015"


def upgrade() -> None:
    run_revision("0018_monday_looks")

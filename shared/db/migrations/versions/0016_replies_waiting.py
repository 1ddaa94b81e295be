"""Reviews: replies that are on their way are found by their age."""

from shared.db.migrations.run_sql import run_revision

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_revision("0016_replies_waiting")

"""Reviews: replies on their way are found by their age, and a click on the way out is no click."""

from shared.db.migrations.run_sql import run_revision

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_revision("0016_review_replies")

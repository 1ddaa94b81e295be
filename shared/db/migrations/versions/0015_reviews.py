"""Reviews: what syncs, replies, rules and requests remember between two runs."""

from shared.db.migrations.run_sql import run_revision

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_revision("0015_reviews")

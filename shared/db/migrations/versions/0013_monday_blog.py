"""Monday: what of ours is which item there, and what both sides were last known to have. Blog: the images of posts."""

from shared.db.migrations.run_sql import run_revision

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_revision("0013_monday_blog")

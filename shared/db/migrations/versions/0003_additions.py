"""What the functions add: outbox, inbox, sealed secrets, mail events, and columns of the areas."""

from shared.db.migrations.run_sql import run_revision

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_revision("0003_additions")

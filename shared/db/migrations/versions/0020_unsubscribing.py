"""Mails may name the address at which their recipient unsubscribes with one click."""

from shared.db.migrations.run_sql import run_revision

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_revision("0020_unsubscribing")

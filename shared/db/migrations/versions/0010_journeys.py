"""Journeys and active clients: one sale for each lead and service, and redaction that leaves nothing behind."""

from shared.db.migrations.run_sql import run_revision

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_revision("0010_journeys")

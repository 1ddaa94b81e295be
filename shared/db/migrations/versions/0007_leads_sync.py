"""Leads: which CTM account a client's cursor belongs to, and when the ratings that wait are tried again."""

from shared.db.migrations.run_sql import run_revision

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_revision("0007_leads_sync")

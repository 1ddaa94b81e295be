"""Leads: what is known of a call's rating, label and text, leases of syncs, counted totals, and the lists' indexes."""

from shared.db.migrations.run_sql import run_revision

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_revision("0006_leads")

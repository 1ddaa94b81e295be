"""Leads: what is known of a call's rating, label and text, leases of syncs, counted totals, and the lists' indexes."""

from shared.db.migrations.run_sql import run_revision

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_revision("0004_leads")

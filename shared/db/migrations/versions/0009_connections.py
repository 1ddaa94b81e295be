"""Connections: leases for renewing tokens, what stays of removed ones, withdrawals, and posts for WordPress."""

from shared.db.migrations.run_sql import run_revision

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_revision("0009_connections")

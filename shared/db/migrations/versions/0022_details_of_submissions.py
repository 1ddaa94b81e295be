"""Submissions carry what the AI took out of their words."""

from shared.db.migrations.run_sql import run_revision

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_revision("0022_details_of_submissions")

"""Visitors may send files with a form."""

from shared.db.migrations.run_sql import run_revision

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_revision("0021_visitors_files")
